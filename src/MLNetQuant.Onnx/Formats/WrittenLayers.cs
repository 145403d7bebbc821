using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Formats;

/// <summary>The layers of one file in their formats.</summary>
/// <param name="plan">Which format each layer is written in.</param>
/// <param name="graph">The graph of the layers, whose names are taken.</param>
internal sealed class WrittenLayers(FormatPlan plan, GraphProto graph)
{
    private readonly FreshNames _names = new(graph);
    private readonly List<IWeightFormat> _formats = [];

    /// <summary>What replaces the layers.</summary>
    public GraphRewrites Rewrites { get; } = new();

    /// <summary>The format of each layer.</summary>
    public IReadOnlyList<IWeightFormat> Formats => _formats;

    /// <summary>Writes a layer.</summary>
    /// <param name="origin">Number of its node in the model; −1 for one out of a branch.</param>
    /// <param name="layer">The layer and its codes.</param>
    public void Add(int origin, QuantizedLayer layer)
    {
        var format = plan.Of(layer);
        Rewrites.Add(origin, format.Write(layer, _names));
        _formats.Add(format);
    }
}
