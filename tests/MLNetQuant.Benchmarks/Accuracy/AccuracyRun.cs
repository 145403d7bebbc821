using System.Diagnostics;
using MLNetQuant.Algorithms;
using MLNetQuant.Onnx;

namespace MLNetQuant.Benchmarks.Accuracy;

/// <summary>Quantizes real models and measures them on their test rows, printing each figure as it is known.</summary>
/// <param name="manifest">The models and their data.</param>
/// <param name="options">What all quantizations share; bits, scales and algorithm vary.</param>
/// <param name="print">Receives each line.</param>
internal sealed class AccuracyRun(Manifest manifest, QuantizationOptions options, Action<string> print)
{
    /// <summary>Measures one model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="configurations">Bits and scales.</param>
    /// <param name="algorithms">The algorithms.</param>
    /// <param name="measured">Is told after each measurement of all of the model so far.</param>
    public void Measure(
        ManifestModel model,
        IReadOnlyList<Configuration> configurations,
        IReadOnlyList<IWeightQuantizer> algorithms,
        Action<MeasuredModel> measured)
    {
        var source = manifest.Load(model);
        var metric = Metric.Of(manifest, model);
        var watch = Stopwatch.StartNew();
        var result = new MeasuredModel(model, metric, source.SizeInBytes, Evaluate(source, metric).Figure, []);
        print(FormattableString.Invariant($"{model.Name}: {metric.Description}; {result.FloatText}; {result.Bytes:N0} bytes; {watch.Elapsed.TotalSeconds:0.0} s"));
        measured(result);
        var calibration = algorithms.Count > 0 ? manifest.Calibration(model) : null;
        foreach (var configuration in configurations)
        {
            foreach (var algorithm in algorithms)
            {
                result.Cells.Add(Cell(source, calibration!, metric, result.Float, configuration, algorithm));
                measured(result);
            }
        }
    }

    private Measurement Cell(
        OnnxModel source, CalibrationData calibration, Metric metric, double before, Configuration configuration, IWeightQuantizer algorithm)
    {
        var start = $"{source.Name}, {configuration}, {algorithm.Name}";
        var watch = Stopwatch.StartNew();
        try
        {
            var (quantized, report) = ModelQuantizer.Quantize(source, calibration, options with
            {
                Bits = configuration.Bits,
                Granularity = configuration.Granularity,
                ZeroPoint = configuration.ZeroPoint,
                Algorithm = algorithm,
            });
            var seconds = watch.Elapsed.TotalSeconds;
            var (figure, bytes) = Evaluate(quantized, metric);
            print(FormattableString.Invariant($"{start}: {metric.Text(figure)} ({metric.Gain(figure, before)} to float); {bytes:N0} bytes; {seconds:0.0} s, measured in {watch.Elapsed.TotalSeconds - seconds:0.0} s{Winners(report)}"));
            return new(configuration, algorithm.Name, figure, bytes, seconds, null) { Report = report };
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            var failure = FirstSentence(e);
            print($"{start}: {failure}");
            return new(configuration, algorithm.Name, double.NaN, 0, watch.Elapsed.TotalSeconds, failure);
        }
    }

    /// <summary>Measures a model as a file, the way its users run it.</summary>
    private static (double Figure, long Bytes) Evaluate(OnnxModel model, Metric metric)
    {
        var folder = Directory.CreateTempSubdirectory("mlnetquant-accuracy-");
        try
        {
            var file = Path.Combine(folder.FullName, "model.onnx");
            model.Save(file);
            using var session = new ModelSession(file);
            return (metric.Measure(session), new FileInfo(file).Length);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Which recipes an algorithm that chooses among several took, and for how many layers.</summary>
    private static string Winners(QuantizationReport report)
    {
        var recipes = report.Layers.CountBy(l => l.Algorithm).OrderByDescending(c => c.Value).ToArray();
        return recipes.Length > 1 ? $"; {string.Join(", ", recipes.Select(c => $"{c.Key} {c.Value}×"))}" : "";
    }

    private static string FirstSentence(Exception e)
    {
        var end = e.Message.IndexOf(". ", StringComparison.Ordinal);
        var sentence = (end < 0 ? e.Message : e.Message[..(end + 1)]).ReplaceLineEndings(" ");
        return e is QuantizationException ? sentence : $"{e.GetType().Name}: {sentence}";
    }
}
