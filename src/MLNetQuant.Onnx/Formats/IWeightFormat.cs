using MLNetQuant.Grids;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;

namespace MLNetQuant.Onnx.Formats;

/// <summary>A way of writing quantized weights into a graph.</summary>
internal interface IWeightFormat
{
    /// <summary>Name in reports.</summary>
    string Name { get; }

    /// <summary>Whether <see cref="QuantizedLayer.InputFactors"/> can be written; layers that have some are folded where they cannot.</summary>
    bool TakesInputFactors => false;

    /// <summary>Whether grids with a <see cref="Grid.Threshold"/> can be written; layers that have one are folded where they cannot.</summary>
    bool TakesThreshold => false;

    /// <summary>What the layer's activations are when it runs; null for float.</summary>
    string? Activations => null;

    /// <summary>Whether there is a form for the layer's operator; where not, the next format of the plan writes it.</summary>
    bool Fits(ILayer layer) => true;

    /// <summary>Why a layer cannot be written in this format, before any calibration; null when it can.</summary>
    string? Refuse(ILayer layer, Granularity granularity);

    /// <summary>The nodes and constants that take the layer's place.</summary>
    LayerRewrite Write(QuantizedLayer layer, FreshNames names);
}
