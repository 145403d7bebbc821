using MLNetQuant.Algorithms;
using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;
using MLNetQuant.Tests.Oracles;
using Xunit.Abstractions;

namespace MLNetQuant.Tests.Algorithms;

/// <summary>
/// The theorem that gave the methods their name: at a fixed number of rows the squared relative error of path
/// following falls as 1/N in the number of inputs, that of rounding to nearest does not fall. Gaussian rows, 64 of
/// them, weights uniform on (−1, 1), step ¼, no clipping.
/// </summary>
public class HeadlineDecayTests(ITestOutputHelper output)
{
    private const int Rows = 64;
    private const int Neurons = 128;
    private static readonly int[] Sizes = [64, 256, 1024, 2048];

    [Theory]
    [InlineData("msq", new[] { 1.62e-2, 1.61e-2, 1.58e-2, 1.65e-2 }, 0.0, 0.05)]
    [InlineData("gpfq", new[] { 1.02e-2, 4.04e-3, 9.9e-4, 5.1e-4 }, -1.0, 0.1)]
    [InlineData("spfq", new[] { 2.05e-2, 7.95e-3, 1.95e-3, 1.01e-3 }, -1.0, 0.1)]
    [InlineData("optq natural", new[] { 8.3e-3, 2.03e-3, 5.1e-4, 2.7e-4 }, -1.0, 0.1)]
    [InlineData("optq", new[] { 7.6e-3, 1.61e-3, 3.4e-4, 1.6e-4 }, -1.1, 0.1)]
    [InlineData("msq-preprocessed", new[] { double.NaN, 3.96e-3, 9.9e-4, 5.2e-4 }, -1.0, 0.1)] // 64 inputs leave no room
    public void Squared_error_against_inputs(string name, double[] reference, double slope, double tolerance)
    {
        var errors = Sizes.Select(inputs => SquaredError(Named(name), inputs)).ToArray();
        var fitted = Slope([.. Sizes.Zip(errors).Skip(1)]); // from N = 256 on
        output.WriteLine($"{name}: {string.Join("  ", errors.Select(e => e.ToString("0.00e+0", null)))}; slope {fitted:0.000}");
        Assert.InRange(fitted, slope - tolerance, slope + tolerance);
        for (var i = double.IsNaN(reference[0]) ? 1 : 0; i < errors.Length; i++)
            Assert.InRange(errors[i] / reference[i], 0.85, 1.15); // one drawing of X against another
    }

    /// <summary>
    /// m weights of a neuron stay off ±c, each is rounded with mean squared error δ²/12, a column has squared norm m,
    /// and ‖Xw‖² is mN/3: together mδ²/4N. (Derived here.)
    /// </summary>
    [Fact]
    public void Squared_error_of_maly_and_saab_against_rows()
    {
        const int Inputs = 1024;
        int[] rows = [8, 16, 32, 64, 128];
        var errors = rows.Select(m => SquaredError(new PreprocessedMsq(), Inputs, m)).ToArray();
        var fitted = Slope([.. rows.Zip(errors)]);
        output.WriteLine($"{string.Join("  ", errors.Select(e => e.ToString("0.00e+0", null)))}; slope {fitted:0.000}");
        Assert.InRange(fitted, 0.9, 1.1);
        foreach (var (m, error) in rows.Zip(errors).Skip(2)) // 8 or 16 terms average out too little
            Assert.InRange(error / (m * 0.25 * 0.25 / 4 / Inputs), 0.85, 1.15);
    }

    private static IWeightQuantizer Named(string name) => name == "optq natural"
        ? new Optq(new() { InputOrder = InputOrder.Natural })
        : WeightQuantizers.Parse(name);

    private static double SquaredError(IWeightQuantizer quantizer, int inputs, int count = Rows)
    {
        var random = new Random(inputs);
        var rows = new float[count * inputs];
        for (var i = 0; i < rows.Length; i++)
            rows[i] = (float)Data.Gaussian(random);
        var weights = new Matrix<float>(inputs, Neurons);
        for (var i = 0; i < weights.Data.Length; i++)
            weights.Data[i] = (float)((2 * random.NextDouble()) - 1);
        var accumulator = new LayerStatisticsAccumulator(weights, crossGram: true, new ManagedMatrixProduct());
        accumulator.Add(rows, count);
        var statistics = accumulator.ToStatistics();
        var recipe = GridRecipe.Fixed(Uniform.Grid(inputs, Neurons, 0.25f, -128, 127));
        var quantized = quantizer.Quantize(new(weights, statistics), recipe, new() { Seed = 1 });
        Assert.Equal(0, quantized.Clipped);
        var error = MeasuredError.Relative(statistics, quantized.Dequantize());
        return error * error;
    }

    /// <summary>Least-squares slope of log error against log size.</summary>
    private static double Slope((int Size, double Error)[] curve)
    {
        var points = curve.Select(p => (X: Math.Log(p.Size), Y: Math.Log(p.Error))).ToArray();
        var (x, y) = (points.Average(p => p.X), points.Average(p => p.Y));
        return points.Sum(p => (p.X - x) * (p.Y - y)) / points.Sum(p => (p.X - x) * (p.X - x));
    }
}
