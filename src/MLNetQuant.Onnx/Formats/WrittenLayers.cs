using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Formats;

/// <summary>The layers of one file in their formats.</summary>
/// <param name="plan">Which format each layer is written in.</param>
/// <param name="branches">The graph of the layers, whose names are taken, and where its nodes come from.</param>
/// <param name="prepared">The graph that they are written into, its branches as they are; its names are taken as well.</param>
internal sealed class WrittenLayers(FormatPlan plan, BranchFlattening branches, GraphProto prepared)
{
    private readonly FreshNames _names = new(branches.Model.Graph, prepared);
    private readonly GraphRewrites _rewrites = new();
    private readonly List<IWeightFormat> _formats = [];
    private readonly List<double?> _activationErrors = [];
    private readonly Dictionary<int, (QuantizedLayer Layer, int Place)> _waiting = []; // by node

    /// <summary>Which format each layer is written in.</summary>
    public FormatPlan Plan => plan;

    /// <summary>A file of the same graph in other formats, no layer written yet.</summary>
    public WrittenLayers Empty(FormatPlan other) => new(other, branches, prepared);

    /// <summary>The format of each layer.</summary>
    public IReadOnlyList<IWeightFormat> Formats => _formats;

    /// <summary>What rounding its activations does to the outputs of each layer, relative; null where they are float.</summary>
    public IReadOnlyList<double?> ActivationErrors => _activationErrors;

    /// <summary>Whether a scale of some layer spans the whole batch.</summary>
    public bool SpansBatch => _formats.Exists(f => f.SpansBatch);

    /// <summary>Writes a layer.</summary>
    /// <param name="layer">The layer and its codes.</param>
    /// <param name="activationError">What rounding its activations does.</param>
    public void Add(QuantizedLayer layer, double? activationError = null)
    {
        var format = plan.Of(layer);
        _formats.Add(format);
        _activationErrors.Add(format.Activations is null ? null : activationError);
        if (!format.WritesPairs)
        {
            Add(layer, format.Write(layer, _names));
        }
        else if (_waiting.Remove(layer.Layer.Node.Index, out var other))
        {
            foreach (var rewrite in DynamicRecurrentFormat.WritePair(other.Layer, layer, _names))
                Add(layer, rewrite);
        }
        else
        {
            _waiting.Add(layer.Layer.Node.Index, (layer, _formats.Count - 1));
        }
    }

    /// <summary>What replaces the layers, once all of them are there: one that waits for the other layer of its node in vain is written without.</summary>
    public GraphRewrites Complete()
    {
        foreach (var (layer, place) in _waiting.Values)
        {
            var format = plan.Without([layer.Layer.Node.Name]).Of(layer);
            (_formats[place], _activationErrors[place]) = (format, null);
            Add(layer, format.Write(layer, _names));
        }

        _waiting.Clear();
        return _rewrites;
    }

    private void Add(QuantizedLayer layer, LayerRewrite rewrite) => _rewrites.Add(
        branches.Origins[layer.Layer.Node.Index],
        rewrite with { Others = [.. rewrite.Others.Select(o => o with { Node = branches.Origins[o.Node] })] });
}
