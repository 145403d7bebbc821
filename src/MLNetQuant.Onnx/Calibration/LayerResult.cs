using MLNetQuant.Certificates;
using MLNetQuant.Onnx.Formats;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>A quantized layer with its figures.</summary>
/// <param name="Layer">The layer and its codes.</param>
/// <param name="RelativeError">‖XW − X̃Q‖_F / ‖XW‖_F over all groups.</param>
/// <param name="Rows">Rows of X that were used.</param>
/// <param name="Certificate">What the algorithm promises of the layer; null where it promises nothing.</param>
internal sealed record LayerResult(QuantizedLayer Layer, double RelativeError, int Rows, Certificate? Certificate)
{
    /// <summary>The relative error on the rows held back, of codes chosen without them; null where none were.</summary>
    public double? HeldBackError { get; init; }

    /// <summary>The relative error to judge by: on the rows held back where there are some.</summary>
    public double Judged => HeldBackError ?? RelativeError;

    /// <summary>The algorithm, where it is not the one of the options.</summary>
    public string? Algorithm { get; init; }

    /// <summary>Bits per weight, where they are not those of the options.</summary>
    public int? Bits { get; init; }

    /// <summary>What the report says of the layer.</summary>
    /// <param name="format">How its codes are written.</param>
    /// <param name="options">The options of the run.</param>
    /// <param name="seconds">Wall time of the layer.</param>
    public LayerReport ToReport(IWeightFormat format, QuantizationOptions options, double seconds)
    {
        var layer = Layer.Layer;
        return new()
        {
            Name = layer.Node.Name,
            Op = layer.Node.Op,
            Inputs = layer.Layout.Inputs,
            Outputs = layer.Layout.AllOutputs,
            Weights = layer.Layout.Count,
            Bits = Bits ?? options.Bits,
            Granularity = options.Granularity.ToString(),
            Algorithm = Algorithm ?? Recipes(options.Algorithm.Name),
            Certificate = Certificate,
            Format = format.Name,
            Activations = format.Activations,
            RelativeError = RelativeError,
            HeldBackError = HeldBackError,
            InputsRescaled = Layer.InputFactors is not null,
            Clipped = Layer.Groups.Sum(g => g.Clipped),
            DampingRaises = Layer.Groups.Max(g => g.DampingRaises),
            BiasCorrected = Layer.BiasCorrection is not null,
            CalibrationRows = Rows,
            Seconds = seconds,
        };
    }

    /// <summary>What the report says where the layer stays float for its error.</summary>
    /// <param name="limit">The largest error allowed.</param>
    public SkippedLayer ToSkipped(double limit)
    {
        var layer = Layer.Layer;
        var where = HeldBackError is null ? "" : " on rows held back";
        return new(
            layer.Node.Name,
            layer.Node.Op,
            layer.Layout.Count,
            FormattableString.Invariant($"its relative error of {Judged:0.###}{where} is above the limit of {limit:0.###}"));
    }

    /// <summary>The winner's recipe where the algorithm chose one, of most groups where they differ.</summary>
    private string Recipes(string otherwise)
    {
        string[] recipes =
        [
            .. Layer.Groups.Select(g => g.Recipe ?? otherwise)
                .CountBy(r => r).OrderByDescending(r => r.Value).ThenBy(r => r.Key, StringComparer.Ordinal).Select(r => r.Key),
        ];
        return recipes.Length == 1 ? recipes[0] : $"{recipes[0]} and {recipes.Length - 1} others";
    }
}
