using MLNetQuant.Onnx.Calibration;
using MLNetQuant.Onnx.Formats;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Numerics;

namespace MLNetQuant.Onnx.Activations;

/// <summary>
/// Quantizes the layers of a run whose activations may be rounded to eight bits. Where the options name the format, the codes
/// are chosen for rounded activations, and later layers see what these and the layer's outputs become; where the format is
/// decided when the file is timed, all that is measured of it here is its error.
/// </summary>
internal sealed class ActivationRounding(
    QuantizationPlan plan, QuantizationOptions options, LayerQuantizer quantizer, OnnxRuntimeMatrixProduct product)
{
    private readonly FloatFormat _float = new();
    private readonly ActivationReader _reader = new(plan.Index, options);
    private readonly ActivationError _error = new(plan.Index, options, product);
    private readonly bool _isDecided = options.Format == WeightFormat.Integer;
    private readonly bool _isReduced = ByteProducts.AreReduced(options.ReduceRange);

    /// <summary>Quantizes a layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="number">Its place among the quantized layers.</param>
    /// <param name="inputs">Its input in both streams and its float outputs.</param>
    /// <param name="gathered">Called when the statistics are there and rounding begins.</param>
    public LayerResult Quantize(ILayer layer, int number, LayerInputs inputs, Action gathered)
    {
        IWeightFormat[] formats = [.. plan.Candidates.Select(c => c.Plan.Of(layer))];
        var activations = Array.Find(formats, f => f.RoundsInput) is { } rounding
            ? _reader.Read(layer, inputs, rounding.RoundsOutput(layer))
            : null;
        if (_isDecided && activations is { Input: var grid })
            inputs = new(inputs.Float, [.. inputs.Quantized.Select(x => new RoundedTensor(x, grid.Round))]) { FloatOutputs = inputs.FloatOutputs };
        var bits = _isReduced && Array.Exists(formats, f => f.MultipliesBytes) ? Math.Min(options.Bits, ByteProducts.SafeBits) : options.Bits;
        var result = quantizer.Quantize(layer, number, inputs, gathered, bits);
        return result with { Layer = result.Layer with { Activations = activations } };
    }

    /// <summary>How later layers see the layer.</summary>
    public IWeightFormat StreamFormat(QuantizedLayer layer) =>
        _isDecided && plan.Candidates[0].Plan.Of(layer) is { Activations: not null, WritesPairs: false } format ? format : _float;

    /// <summary>What rounding the layer's activations does to its outputs.</summary>
    public double? Error(QuantizedLayer layer, int number, LayerInputs inputs, IWeightFormat format) =>
        _error.Measure(layer, number, inputs, format);
}
