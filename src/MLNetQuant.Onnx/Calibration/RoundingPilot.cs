using System.Diagnostics;
using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>Measures how long statistics and rounding of layers take, on random numbers and on a part of large layers.</summary>
/// <param name="options">The algorithm and the grid.</param>
/// <param name="threads">Threads.</param>
internal sealed class RoundingPilot(QuantizationOptions options, int threads)
{
    /// <summary>Inputs and outputs of the part of a layer that is measured.</summary>
    private const int Extent = 512;

    private const int ChunkRows = 1024;

    /// <summary>A time above this share of the shortest before it is no longer one of a program that warms up.</summary>
    private const double Steady = 0.8;

    private const int MostTimes = 5;

    /// <summary>Of an input and its neighbour.</summary>
    private const float Correlation = 0.9f;

    private readonly Dictionary<(int Inputs, int Outputs, int Rows, bool Alone), double> _measured = [];

    /// <summary>Seconds that a layer takes.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="rows">Rows of its statistics.</param>
    public double Measure(ILayer layer, int rows)
    {
        var layout = layer.Layout;
        if (rows == 0)
            return 0;
        var alone = layout.Groups == 1;
        var key = (layout.Inputs, layout.Outputs, rows, alone);
        if (!_measured.TryGetValue(key, out var seconds))
            _measured[key] = seconds = Run(layout.Inputs, layout.Outputs, rows, alone);
        return seconds * Math.Ceiling(layout.Groups / (double)(alone ? 1 : threads));
    }

    /// <summary>Seconds that the first times took longer than later ones: code is compiled then, in a run as well.</summary>
    public double WarmUp { get; private set; }

    /// <summary>
    /// Rounding takes time a·NM + b·N²M: a from what each weight costs, b from what each pair of inputs of an output costs. A part
    /// with fewer inputs tells them apart.
    /// </summary>
    private double Run(int inputs, int outputs, int rows, bool alone)
    {
        int n = Math.Min(inputs, Extent), m = Math.Min(outputs, Extent);
        var part = Math.Min(n, Extent / 2);
        var (halfGathering, half) = Measure(part, m, RowsOf(part), alone);
        if (n <= Extent / 2)
            return (halfGathering + half) * outputs / m;
        var (gathering, rounding) = MeasureOnce(n, m, RowsOf(n), alone);
        var times = (double)n / part;
        var quadratic = Math.Clamp((rounding - (times * half)) * times / (times - 1), 0, rounding);
        var wider = (double)inputs / n;
        return (gathering * wider * wider) + (((rounding - quadratic) * wider) + (quadratic * wider * wider)) * outputs / m;

        // Rows that are fewer than the inputs are kept; of a part they have to be so as well.
        int RowsOf(int some) => rows < inputs ? Math.Max(1, (int)((long)rows * some / inputs)) : rows;
    }

    /// <summary>Measures until a time is hardly shorter than the one before.</summary>
    private (double Gathering, double Rounding) Measure(int n, int m, int rows, bool alone)
    {
        var first = MeasureOnce(n, m, rows, alone);
        var shortest = first;
        for (var more = MostTimes - 1; more > 0; more--)
        {
            var next = MeasureOnce(n, m, rows, alone);
            var isSteady = next.Gathering + next.Rounding > Steady * (shortest.Gathering + shortest.Rounding);
            shortest = (Math.Min(next.Gathering, shortest.Gathering), Math.Min(next.Rounding, shortest.Rounding));
            if (isSteady)
                break;
        }

        WarmUp += first.Gathering + first.Rounding - shortest.Gathering - shortest.Rounding;
        return shortest;
    }

    private (double Gathering, double Rounding) MeasureOnce(int n, int m, int rows, bool alone)
    {
        var workers = alone ? threads : 1;
        var random = new CounterRandom(options.Seed, int.MinValue);
        var weights = new Matrix<float>(n, m, Noise(random, 0, n * m));
        using var ownProduct = new OnnxRuntimeMatrixProduct(workers);
        var product = LayerStatisticsReader.Engine(n, ownProduct, workers);
        var gathering = new Stopwatch();
        var fitted = Gather(1, Math.Max(1, rows * 4 / 5));
        var heldBack = options.Algorithm.UsesHeldBackRows && rows >= 100 ? Gather(2, rows / 5) : null;
        var rounding = Stopwatch.StartNew();
        var recipe = new GridRecipe(options.Alphabet, options.Granularity, options.ScaleRule) { ZeroPoint = options.ZeroPoint, Percentile = options.Percentile };
        var context = new QuantizationContext
        {
            Seed = options.Seed,
            Threads = workers,
            Product = alone ? product : null, // as in LayerQuantizer
            CancellationToken = options.CancellationToken,
        };
        var group = new GroupQuantizer(options.Algorithm, weights, new(fitted, heldBack), recipe, context, 0.01);
        if (options.BiasCorrection)
            group.QuantizeWithBias(0);
        else
            group.Quantize();
        return (gathering.Elapsed.TotalSeconds, rounding.Elapsed.TotalSeconds);

        LayerStatistics Gather(int stream, int count)
        {
            var sums = new LayerStatisticsAccumulator(weights, options.Algorithm.NeedsCrossGram, product, workers);
            for (var done = 0; done < count; done += ChunkRows)
            {
                var chunk = Math.Min(ChunkRows, count - done);
                var x = Correlated(Noise(random, stream, chunk * n), n);
                var quantized = Array.ConvertAll(x, v => v * 1.01f);
                gathering.Start();
                sums.Add(x, quantized, chunk);
                gathering.Stop();
            }

            return sums.ToStatistics();
        }
    }

    /// <summary>Neighbouring inputs go together, as in real rows: among independent ones searches would end early.</summary>
    private static float[] Correlated(float[] rows, int inputs)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            if (i % inputs > 0)
                rows[i] += Correlation * rows[i - 1];
        }

        return rows;
    }

    private static float[] Noise(CounterRandom random, int stream, int count)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++)
            values[i] = (float)random.Uniform(stream, i) - 0.5f;
        return values;
    }
}
