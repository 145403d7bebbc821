using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Benchmarks.Accuracy;

namespace MLNetQuant.Benchmarks.Scoring;

/// <summary>Times pipelines over the same rows, in turns, as who reads one column of scores sees them.</summary>
internal sealed class ScoringRun
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly string _file;
    private readonly string _output;
    private readonly IDataView _calibration;
    private readonly IDataView _rows;
    private readonly int[] _labels;
    private readonly int _rounds;

    /// <param name="manifest">The models and their data.</param>
    /// <param name="model">A model that takes 784 floats.</param>
    /// <param name="rows">Rows to score at most; null for all.</param>
    /// <param name="rounds">Passes of each pipeline.</param>
    public ScoringRun(Manifest manifest, ManifestModel model, int? rows, int rounds)
    {
        (_file, _output, _rounds) = (manifest.Path(model.File), model.Output, rounds);
        _calibration = View(RowReader.Read(manifest, model.Calib.Input).Values<float>(), int.MaxValue);
        _rows = View(RowReader.Read(manifest, model.Test.Input).Values<float>(), rows ?? int.MaxValue);
        _labels = RowReader.ReadLabels(manifest, model.Test.Labels!);
        RowCount = (int)_rows.GetRowCount()!;
    }

    /// <summary>Rows of a pass.</summary>
    public int RowCount { get; }

    /// <summary>Measures all pipelines.</summary>
    public IReadOnlyList<ScoringMeasurement> Measure(Action<string> print)
    {
        using var rowByRow = _ml.Transforms.ApplyOnnxModel(_file).Fit(_rows);
        using var batched = _ml.Transforms.ApplyOnnxModelBatched(_file).Fit(_rows);
        using var size = _ml.Transforms.QuantizeWeights(_file).Fit(_calibration);
        using var speed = _ml.Transforms.QuantizeWeights(_file, QuantizationOptions.Default with { Target = FormatTarget.Speed }).Fit(_calibration);
        using var speedBatched = speed.Batched();
        (string Name, WeightQuantizingTransformer? Quantized, ITransformer Model, double? Least)[] pipelines =
        [
            ("ApplyOnnxModel, float", null, rowByRow, null),
            ("ApplyOnnxModelBatched, float", null, batched, 8),
            ("QuantizeWeights, 8 bits", size, size, null),
            ("QuantizeWeights, 8 bits, Target = Speed, Batched()", speed, speedBatched, 20),
        ];
        var passes = Array.ConvertAll(pipelines, _ => new List<(double Seconds, double Bytes, double Top1)>());
        for (var round = -1; round < _rounds; round++)
        {
            for (var turn = 0; turn < pipelines.Length; turn++)
            {
                var p = (turn + round + 1) % pipelines.Length;
                var pass = Pass(pipelines[p].Model);
                print($"{pipelines[p].Name}: {RowCount / pass.Seconds:0} rows per second{(round < 0 ? " (warm-up)" : "")}");
                if (round >= 0)
                    passes[p].Add(pass);
            }
        }

        return
        [
            .. pipelines.Zip(passes, (pipeline, made) => new ScoringMeasurement(
                pipeline.Name,
                string.Join(", ", pipeline.Quantized?.Report.Layers.CountBy(l => l.Format).Select(f => $"{f.Key} {f.Value}") ?? []),
                pipeline.Least,
                [.. made.Select(m => m.Seconds)],
                made.Select(m => m.Bytes).Order().ElementAt(made.Count / 2),
                made[0].Top1)),
        ];
    }

    private (double Seconds, double Bytes, double Top1) Pass(ITransformer model)
    {
        var right = 0;
        var bytes = GC.GetTotalAllocatedBytes(precise: true);
        var start = Stopwatch.GetTimestamp();
        var view = model.Transform(_rows);
        var column = view.Schema[_output];
        using (var cursor = view.GetRowCursor([column]))
        {
            var get = cursor.GetGetter<VBuffer<float>>(column);
            VBuffer<float> scores = default;
            while (cursor.MoveNext())
            {
                get(ref scores);
                if (IndexOfLargest(scores.GetValues()) == _labels[cursor.Position])
                    right++;
            }
        }

        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return (seconds, (GC.GetTotalAllocatedBytes(precise: true) - bytes) / (double)RowCount, right / (double)RowCount);
    }

    private static int IndexOfLargest(ReadOnlySpan<float> values)
    {
        var largest = 0;
        for (var i = 1; i < values.Length; i++)
        {
            if (values[i] > values[largest])
                largest = i;
        }

        return largest;
    }

    private IDataView View(ReadOnlySpan<float> pixels, int limit)
    {
        const int width = 784;
        var rows = new PixelRow[Math.Min(pixels.Length / width, limit)];
        for (var row = 0; row < rows.Length; row++)
            rows[row] = new() { Pixels = pixels.Slice(row * width, width).ToArray() };
        return _ml.Data.LoadFromEnumerable(rows);
    }
}
