using MLNetQuant.Onnx;

namespace MLNetQuant.Benchmarks.Accuracy;

/// <summary>The share of rows whose largest score is at the label.</summary>
internal sealed class Top1 : Metric
{
    private readonly ManifestModel _model;
    private readonly OnnxTensor _rows;
    private readonly int[] _labels;

    public Top1(Manifest manifest, ManifestModel model)
    {
        _model = model;
        _rows = RowReader.Read(manifest, model.Test.Input);
        _labels = RowReader.ReadLabels(
            manifest, model.Test.Labels ?? throw new AccuracyException($"{model.Name} has no test labels: add them to the manifest."));
        if (_labels.Length != _rows.Shape[0])
            throw new AccuracyException($"{model.Name} has {_rows.Shape[0]} test rows and {_labels.Length} labels: correct the manifest.");
    }

    public override string Description => FormattableString.Invariant($"Top-1 accuracy in percent on {_labels.Length:N0} test rows");

    public override string ManifestName => "top1";

    public override double Measure(ModelSession session)
    {
        var right = 0;
        foreach (var (first, rows) in Batches(_rows, _model.Batch))
        {
            var scores = session.Run(new Dictionary<string, OnnxTensor> { [_model.Input] = rows }, _model.Output)[0];
            var classes = scores.Length / (int)rows.Shape[0];
            for (var row = 0; row < rows.Shape[0]; row++)
            {
                if (IndexOfMax(scores.Values<float>().Slice(row * classes, classes)) == _labels[first + row])
                    right++;
            }
        }

        return (double)right / _labels.Length;
    }

    private static int IndexOfMax(ReadOnlySpan<float> scores)
    {
        var best = 0;
        for (var i = 1; i < scores.Length; i++)
        {
            if (scores[i] > scores[best])
                best = i;
        }

        return best;
    }
}
