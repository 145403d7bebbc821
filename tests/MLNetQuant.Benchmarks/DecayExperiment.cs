using MLNetQuant.Algorithms;
using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Benchmarks;

/// <summary>
/// The setting of the headline theorem: Gaussian rows, weights uniform on (−1, 1), one stream, steps of ¼, no clipping.
/// </summary>
internal static class DecayExperiment
{
    public const double Step = 0.25;
    public const int Neurons = 128;

    /// <summary>The methods in the order of the table; the greedy ones and OPTQ as published, in natural order.</summary>
    public static IReadOnlyList<(string Name, ICertifiedQuantizer Method)> Methods { get; } =
    [
        ("MSQ", new Msq()),
        ("GPFQ", new Gpfq()),
        ("SPFQ", new Spfq()),
        ("OPTQ", new Optq(new() { InputOrder = InputOrder.Natural })),
        ("OPTQ, descending", new Optq()),
        ("Maly–Saab", new PreprocessedMsq()),
    ];

    /// <summary>Squares of the relative error on the rows and of its bound.</summary>
    public static DecayPoint Measure(ICertifiedQuantizer method, int rows, int inputs)
    {
        var random = new Random(inputs + rows);
        var x = new float[rows * inputs];
        for (var i = 0; i < x.Length; i++)
            x[i] = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        var weights = new Matrix<float>(inputs, Neurons);
        for (var i = 0; i < weights.Data.Length; i++)
            weights.Data[i] = (float)((2 * random.NextDouble()) - 1);
        var accumulator = new LayerStatisticsAccumulator(weights, crossGram: true, new ManagedMatrixProduct());
        accumulator.Add(x, rows);
        var problem = new LayerProblem(weights, accumulator.ToStatistics());
        var scales = new Matrix<float>(1, Neurons);
        scales.Data.AsSpan().Fill((float)Step);
        var recipe = GridRecipe.Fixed(new(new(-128, 127), Granularity.PerChannel, inputs, scales));
        var context = new QuantizationContext { Seed = 1 };
        var quantized = method.Quantize(problem, recipe, context);
        var certificate = method.Certify(problem, recipe, quantized, context)!;
        if (!certificate.Holds || certificate.Measured > certificate.Bound)
            throw new InvalidOperationException($"The bound of {method.Name} at {inputs} inputs does not hold: {certificate}.");
        return new(certificate.Measured * certificate.Measured, certificate.Bound * certificate.Bound);
    }

    /// <summary>Least squares through (ln x, ln y).</summary>
    public static double Slope(IEnumerable<(double X, double Y)> curve)
    {
        var points = curve.Select(p => (X: Math.Log(p.X), Y: Math.Log(p.Y))).ToArray();
        double x = points.Average(p => p.X), y = points.Average(p => p.Y);
        return points.Sum(p => (p.X - x) * (p.Y - y)) / points.Sum(p => (p.X - x) * (p.X - x));
    }
}

/// <summary>Squared relative error, measured and bounded.</summary>
internal readonly record struct DecayPoint(double Error, double Bound);
