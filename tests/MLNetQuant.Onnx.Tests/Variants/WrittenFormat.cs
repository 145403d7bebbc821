namespace MLNetQuant.Onnx.Tests.Variants;

/// <summary>A format and how far its outputs may be from those of the format float.</summary>
/// <param name="Format">The format.</param>
/// <param name="Tolerance">Largest relative error ‖y − ŷ‖/‖y‖ of an output; 0 for equal bits.</param>
/// <param name="Takes">The settings that it can be written with.</param>
internal sealed record WrittenFormat(WeightFormat Format, double Tolerance, Predicate<Setting> Takes)
{
    /// <summary>
    /// A step of activations within ±r is 2r/255 and errs by r/442 in the mean square; the numbers themselves have a mean square
    /// of r/√3 where they are spread evenly, and of r/4 about where they are normal: 0.4 to 0.9 %, and √2 times as much
    /// for two layers in a row.
    /// </summary>
    private const double EightBitActivations = 0.013;

    /// <summary>Convolutions round what they put out as well: √2 times as much once more.</summary>
    private const double EightBitsInAndOut = 0.018;

    /// <summary>The first operator set that the format can be written at.</summary>
    public long LeastOpset { get; init; }

    /// <summary>Every format but float.</summary>
    public static readonly IReadOnlyList<WrittenFormat> All =
    [
        new(WeightFormat.Folded, Tolerance: 0, _ => true),
        new(WeightFormat.Auto, Tolerance: 0, s => s.Bits == 8 && s.Granularity == "channel"),
        new(WeightFormat.Integer, EightBitsInAndOut, s => s is { Bits: 8, Granularity: "channel" }) { LeastOpset = 13 },
        new(WeightFormat.Dynamic, EightBitActivations, s => s.Granularity == "tensor" || s is { Bits: 8, Granularity: "channel" }),
        new(WeightFormat.Packed, EightBitActivations, s => s.Granularity == "block:16" || s is { Bits: 4, Granularity: "channel" }),
    ];
}
