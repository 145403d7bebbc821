using MLNetQuant.Onnx.Layers;

namespace MLNetQuant.Onnx.Formats;

/// <summary>Which format each layer is written in: the first that has a form for its operator.</summary>
/// <param name="preferred">Formats, the wished one first; the last one has a form for every layer.</param>
internal sealed class FormatPlan(IReadOnlyList<IWeightFormat> preferred)
{
    private HashSet<string> _floatActivations = [];

    /// <summary>The format of a layer, as far as its operator says.</summary>
    public IWeightFormat Of(ILayer layer) => preferred.First(f => f.Fits(layer));

    /// <summary>The format of a layer with its codes: the first that can write them.</summary>
    public IWeightFormat Of(QuantizedLayer layer) => preferred.First(f =>
        f.Fits(layer.Layer) && f.Carries(layer) && (f.Activations is null || !_floatActivations.Contains(layer.Layer.Node.Name)));

    /// <summary>The plan with another format for the layers that only its last two, which round no activations, have a form for.</summary>
    public FormatPlan Before(IWeightFormat format) => new([.. preferred.SkipLast(2), format, .. preferred.TakeLast(2)]);

    /// <summary>The plan with float activations in some layers.</summary>
    /// <param name="layers">Their names.</param>
    public FormatPlan Without(IEnumerable<string> layers) => new(preferred) { _floatActivations = [.. layers] };
}
