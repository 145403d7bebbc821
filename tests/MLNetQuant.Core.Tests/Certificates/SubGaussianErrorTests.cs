using MLNetQuant.Algorithms;
using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Certificates;

public class SubGaussianErrorTests
{
    [Theory]
    [InlineData(1.0, 0.0, InputOrder.Natural)]
    [InlineData(1.0, 0.0, InputOrder.Descending)]
    [InlineData(1.5, 0.2, InputOrder.Natural)]
    [InlineData(1.5, 0.2, InputOrder.Descending)]
    public void Traces_from_few_rows_are_those_from_H(double scaling, double pruning, InputOrder order)
    {
        var data = Data.Random(new(1), rows: 9, inputs: 41, outputs: 3, drift: 0.2, dead: 2);
        var accumulator = new LayerStatisticsAccumulator(data.Weights(), crossGram: true, new ManagedMatrixProduct());
        accumulator.Add(Matrices.Float(data.X).Data, Matrices.Float(data.Tilde).Data, 9);
        var (kept, sums) = (accumulator.ToStatistics(), data.Statistics());
        Assert.NotNull(kept.Rows);
        var grid = new Grid(new(-128, 127), Granularity.PerChannel, 41, new(1, 3, [0.1f, 0.2f, 0.7f]));
        var steps = order.Of(sums.H);
        var expected = new SubGaussianError(sums, grid, scaling, pruning, steps).Traces(0);
        var actual = new SubGaussianError(kept, grid, scaling, pruning, steps).Traces(0);
        Assert.All(expected.Zip(actual), p => Assert.Equal(1, p.Second / p.First, 1e-10));
        Assert.Equal(
            new SubGaussianError(sums, grid, scaling, pruning, steps).OfLayer(0.1, 0),
            new SubGaussianError(kept, grid, scaling, pruning, steps).OfLayer(0.1, 0),
            1e-9);
    }
}
