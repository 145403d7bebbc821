using System.Globalization;
using MLNetQuant.Onnx;

namespace MLNetQuant.Benchmarks.Accuracy;

/// <summary>What a model is worth on its test rows. Holds the rows, so that all variants of a model share them.</summary>
internal abstract class Metric
{
    /// <summary>What the figure is, with its unit and the number of rows.</summary>
    public abstract string Description { get; }

    /// <summary>Name of the float model's figure in the manifest.</summary>
    public abstract string ManifestName { get; }

    /// <summary>Whether lower figures are better.</summary>
    public virtual bool LowerIsBetter => false;

    /// <summary>The figure as the tables show it: percent, unless a metric says otherwise.</summary>
    public virtual string Text(double figure) => (figure * 100).ToString("0.00", CultureInfo.InvariantCulture);

    /// <summary>The difference of two figures as the tables show it, positive where the first is better.</summary>
    public string Gain(double figure, double over)
    {
        var text = Text(LowerIsBetter ? over - figure : figure - over);
        return text.StartsWith('-') ? $"−{text[1..]}" : $"+{text}";
    }

    /// <summary>Whether the first figure is better.</summary>
    public bool IsBetter(double figure, double than) => LowerIsBetter ? figure < than : figure > than;

    /// <summary>Runs all test rows.</summary>
    public abstract double Measure(ModelSession session);

    /// <summary>The metric that the manifest names, with the model's test rows.</summary>
    /// <exception cref="AccuracyException">There is no such metric, or its rows cannot be read.</exception>
    public static Metric Of(Manifest manifest, ManifestModel model) => model.Metric switch
    {
        "top1" => new Top1(manifest, model),
        "nll" => new NextTokenLoss(manifest, model),
        "stateful" => new StreamAgreement(manifest, model),
        var name => throw new AccuracyException($"The metric '{name}' of {model.Name} is not measured here: use top1, nll or stateful."),
    };

    /// <summary>The rows in batches, each with its first row.</summary>
    protected static IEnumerable<(int First, OnnxTensor Rows)> Batches(OnnxTensor rows, int size)
    {
        for (var first = 0; first < rows.Shape[0]; first += size)
            yield return (first, rows.Rows(first, (int)Math.Min(size, rows.Shape[0] - first)));
    }
}
