using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Tests.Statistics;

public class LayerStatisticsTests
{
    [Fact]
    public void Refuses_shapes_that_do_not_agree()
    {
        Refused("Statistics of 0 rows say nothing; at least one row is needed.", () => Make(count: 0));
        Refused("C has 3 rows, so H must be 3×3, not 2×3.", () => Make(h: new(2, 3)));
        Refused("C has 3 rows, so G must be 3×3, not 3×2.", () => Make(g: new(3, 2)));
        Refused("A layer has at least one input and one output, but C is 3×0.", () => Make(outputs: 0));
        Refused("The mean input has 2 numbers, but there are 3 inputs.", () => Make(inputMean: 2));
        Refused("The mean output has 3 numbers, but there are 2 outputs.", () => Make(outputMean: 3));
        Refused("The output energy has 1 numbers, but there are 2 outputs.", () => Make(outputEnergy: 1));
        Refused(
            "Statistics of a 3×1 layer cannot be merged into those of a 3×2 layer.",
            () => Make().Merge(Make(outputs: 1, outputMean: 1, outputEnergy: 1)));
        Refused(
            "One of the two statistics has G = X̃ᵀX and the other has not; accumulate both in the same way.",
            () => Make().Merge(Make(g: new(3, 3))));
    }

    private static LayerStatistics Make(
        long count = 1,
        Matrix<double>? h = null,
        Matrix<double>? g = null,
        int outputs = 2,
        int inputMean = 3,
        int outputMean = 2,
        int outputEnergy = 2) =>
        new(count, h ?? new(3, 3), g, new(3, outputs), new double[inputMean], new double[outputMean], new double[outputEnergy]);

    private static void Refused(string message, Func<object> make) =>
        Assert.StartsWith(message, Assert.Throws<ArgumentException>(make).Message);
}
