using MLNetQuant.Onnx.Graph;

namespace MLNetQuant.Onnx.Formats;

/// <summary>The layers of one file in their formats.</summary>
/// <param name="plan">Which format each layer is written in.</param>
/// <param name="branches">The graph of the layers, whose names are taken, and where its nodes come from.</param>
internal sealed class WrittenLayers(FormatPlan plan, BranchFlattening branches)
{
    private readonly FreshNames _names = new(branches.Model.Graph);
    private readonly List<IWeightFormat> _formats = [];
    private readonly List<double?> _activationErrors = [];

    /// <summary>What replaces the layers.</summary>
    public GraphRewrites Rewrites { get; } = new();

    /// <summary>Which format each layer is written in.</summary>
    public FormatPlan Plan => plan;

    /// <summary>The format of each layer.</summary>
    public IReadOnlyList<IWeightFormat> Formats => _formats;

    /// <summary>What rounding its activations does to the outputs of each layer, relative; null where they are float.</summary>
    public IReadOnlyList<double?> ActivationErrors => _activationErrors;

    /// <summary>Writes a layer.</summary>
    /// <param name="layer">The layer and its codes.</param>
    /// <param name="activationError">What rounding its activations does.</param>
    public void Add(QuantizedLayer layer, double? activationError = null)
    {
        _activationErrors.Add(activationError);
        var format = plan.Of(layer);
        var rewrite = format.Write(layer, _names);
        Rewrites.Add(
            branches.Origins[layer.Layer.Node.Index],
            rewrite with { Others = [.. rewrite.Others.Select(o => o with { Node = branches.Origins[o.Node] })] });
        _formats.Add(format);
    }
}
