using System.Diagnostics;
using MLNetQuant.Benchmarks.Accuracy;
using MLNetQuant.Onnx;
using MLNetQuant.Onnx.Calibration;

namespace MLNetQuant.Benchmarks.Speed;

/// <summary>Quantizes real models with defaults and with target speed, and times the files against float, all in turns on one thread.</summary>
/// <param name="manifest">The models and their data.</param>
/// <param name="rows">Calibration rows at most; null for those of the manifest.</param>
/// <param name="budget">Time of the runs of a batch size.</param>
/// <param name="print">Receives each line.</param>
internal sealed class SpeedRun(Manifest manifest, int? rows, TimeSpan budget, Action<string> print)
{
    private const int WarmUps = 3;
    private const int LeastRuns = 9;
    private const int MostRuns = 1000;

    private static readonly int[] BatchSizes = [1, 64];
    private static readonly FormatTarget[] Targets = [QuantizationOptions.Default.Target, FormatTarget.Speed];

    /// <summary>Measures one model, once for each target.</summary>
    public IReadOnlyList<SpeedMeasurement> Measure(ManifestModel model)
    {
        var source = manifest.Load(model);
        var calibration = manifest.Calibration(model);
        QuantizedModel[] quantized =
        [
            .. Targets.Select(target => ModelQuantizer.Quantize(source, calibration, QuantizationOptions.Default with { Target = target, Rows = rows })),
        ];
        OnnxModel[] models = [source, .. quantized.Select(q => q.Model)];
        var times = BatchSizes.Select(size => Time(models, CalibrationBatches.Cut(source, calibration, size, size).Batches[0].ToDictionary(), model.Input)).DistinctBy(t => t.Rows).ToArray();
        SpeedMeasurement[] measured = [.. quantized.Select((q, f) => new SpeedMeasurement(
            model.Name,
            Targets[f],
            [.. q.Report.Layers.CountBy(l => l.Format)],
            q.Report.FloatBytes,
            q.Report.QuantizedBytes,
            q.Report.Outputs.Max(o => o.RelativeError),
            [.. times.Select(t => new BatchTime(t.Rows, t.Runs, t.Medians[0], t.Medians[f + 1]))]))];
        foreach (var m in measured)
            print(SpeedTable.Row(m));
        return measured;
    }

    private (int Rows, int Runs, double[] Medians) Time(OnnxModel[] models, Dictionary<string, OnnxTensor> batch, string input)
    {
        var sessions = Array.ConvertAll(models, m => OnnxSession.Open(m));
        try
        {
            var outputs = Array.ConvertAll(sessions, s => s.FloatOutputs);
            var times = Array.ConvertAll(sessions, _ => new List<double>());
            var watch = Stopwatch.StartNew();
            for (var round = -WarmUps; round < LeastRuns || (round < MostRuns && watch.Elapsed < budget); round++)
            {
                for (var turn = 0; turn < sessions.Length; turn++)
                {
                    var s = (turn + round + WarmUps) % sessions.Length;
                    var start = Stopwatch.GetTimestamp();
                    sessions[s].Run(batch, outputs[s]);
                    if (round >= 0)
                        times[s].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                }
            }

            return ((int)batch[input].Shape[0], times[0].Count, Array.ConvertAll(times, t => t.Order().ElementAt(t.Count / 2)));
        }
        finally
        {
            foreach (var session in sessions)
                session.Dispose();
        }
    }
}
