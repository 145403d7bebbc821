using Microsoft.ML.OnnxRuntime;
using MLNetQuant.Onnx;

namespace MLNetQuant.Benchmarks.Walk;

/// <summary>One run of the quantizer beside what it is measured by, all in one process and in turn.</summary>
/// <param name="Passes">Two passes of the float model over the rows, ONNX Runtime left to use all processors.</param>
/// <param name="Grams">The Gram matrices of all different layer inputs as bare products.</param>
/// <param name="Walk">Sessions, both streams, and statistics.</param>
/// <param name="Rounding">Choosing the codes.</param>
/// <param name="Rest">Finding layers, writing, opening and comparing the file.</param>
internal sealed record WalkMeasurement(Effort Passes, Effort Grams, Effort Walk, Effort Rounding, Effort Rest)
{
    private const int BatchSize = 32;
    private const int ProductRows = 4096;

    /// <summary>The walk as a multiple of passes and Gram matrices.</summary>
    public double Multiple(Func<Effort, double> time) => time(Walk) / (time(Passes) + time(Grams));

    /// <summary>The whole run as a multiple of passes and Gram matrices.</summary>
    public double WholeMultiple(Func<Effort, double> time) =>
        (time(Walk) + time(Rounding) + time(Rest)) / (time(Passes) + time(Grams));

    public static WalkMeasurement Of(GeneratedModel network, QuantizationOptions options)
    {
        var passes = FloatPasses(network);
        var grams = GramProducts(network, options.Algorithm.NeedsCrossGram ? 2 : 1);
        var clock = new StageClock();
        ModelQuantizer.Quantize(network.Model, network.Calibration, options with { BatchSize = BatchSize, Progress = clock });
        clock.Stop();
        return new(passes, grams, clock.Of("calibrate"), clock.Of("quantize"), clock.Of("plan", "write", "verify"));
    }

    private static Effort FloatPasses(GeneratedModel network)
    {
        using var options = new SessionOptions { IntraOpNumThreads = Environment.ProcessorCount, InterOpNumThreads = 1 };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"); // waiting is no work
        using var session = new InferenceSession(network.Model.ToBytes(), options);
        using var run = new RunOptions();
        string[] outputs = [.. session.OutputMetadata.Keys];
        var values = network.Rows.Values<float>().ToArray();
        long[] shape = [BatchSize, .. network.Rows.Shape.Skip(1)];
        var width = (int)shape.Aggregate(1L, (a, b) => a * b);
        OrtValue[] batches =
        [
            .. Enumerable.Range(0, values.Length / width).Select(b => OrtValue.CreateTensorValueFromMemory(values[(b * width)..((b + 1) * width)], shape)),
        ];
        RunOne(batches[0]); // warm
        var effort = Effort.Of(() =>
        {
            foreach (var batch in batches.Concat(batches))
                RunOne(batch);
        });
        foreach (var batch in batches)
            batch.Dispose();
        return effort;

        void RunOne(OrtValue batch)
        {
            using var results = session.Run(run, [GeneratedModel.Input], [batch], outputs);
        }
    }

    /// <summary>XᵀX of each different layer input, one product measured for each size and counted as often as it occurs.</summary>
    private static Effort GramProducts(GeneratedModel network, int matrices)
    {
        var sum = new Effort(0, 0);
        foreach (var (inputs, count) in network.Inputs.CountBy(n => n))
        {
            var x = ModelWriter.Numbers(new Random(3), ProductRows * inputs, 1);
            using var product = new BareProduct(x, x, ProductRows, inputs, inputs);
            product.Run(1);
            var (times, share) = ((network.RowsPerLayer + ProductRows - 1) / ProductRows, network.RowsPerLayer / (double)ProductRows);
            var effort = Effort.Of(() => product.Run(times));
            var scale = count * matrices * share / times;
            sum = new(sum.Clock + (effort.Clock * scale), sum.Processors + (effort.Processors * scale));
        }

        return sum;
    }
}
