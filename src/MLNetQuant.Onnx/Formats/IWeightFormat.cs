using MLNetQuant.Grids;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;

namespace MLNetQuant.Onnx.Formats;

/// <summary>Rounds all values of one batch of a layer's input.</summary>
/// <param name="values">The values, row-major; those of a row of X are neighbours where rows count.</param>
internal delegate void RoundActivations(Span<float> values);

/// <summary>A way of writing quantized weights into a graph.</summary>
internal interface IWeightFormat
{
    /// <summary>Name in reports.</summary>
    string Name { get; }

    /// <summary>
    /// Whether all that the codes of a layer mean can be written, <see cref="QuantizedLayer.InputFactors"/> and
    /// <see cref="Grid.Threshold"/> among them; where not, the next format of the plan writes the layer.
    /// </summary>
    bool Carries(QuantizedLayer layer) => layer is { InputFactors: null, Threshold: 0 };

    /// <summary>Whether it needs a grid for the layer's input from calibration.</summary>
    bool RoundsInput => false;

    /// <summary>Whether it needs a grid for the layer's output as well.</summary>
    bool RoundsOutput(ILayer layer) => false;

    /// <summary>What the layer's activations are when it runs; null for float.</summary>
    string? Activations => null;

    /// <summary>Whether one scale of its activations spans the whole batch, so that rows depend on each other.</summary>
    bool SpansBatch => false;

    /// <summary>Whether it multiplies codes as bytes with bytes, which may overflow (<see cref="ReducedRange"/>).</summary>
    bool MultipliesBytes => false;

    /// <summary>Whether both layers of a node with two weights are written together.</summary>
    bool WritesPairs => false;

    /// <summary>How the layer rounds its input in a run; only where <see cref="Activations"/> says that it does.</summary>
    RoundActivations Rounding(QuantizedLayer layer) => throw new NotSupportedException();

    /// <summary>Whether there is a form for the layer's operator; where not, the next format of the plan writes it.</summary>
    bool Fits(ILayer layer) => true;

    /// <summary>Why a layer cannot be written in this format, before any calibration; null when it can.</summary>
    string? Refuse(ILayer layer, Granularity granularity);

    /// <summary>The nodes and constants that take the layer's place.</summary>
    LayerRewrite Write(QuantizedLayer layer, FreshNames names);
}
