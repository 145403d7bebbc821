namespace MLNetQuant.Onnx.Tests.Variants;

/// <summary>A format and how far its outputs may be from those of the format float.</summary>
/// <param name="Format">The format.</param>
/// <param name="Tolerance">Largest relative error ‖y − ŷ‖/‖y‖ of an output; 0 for equal bits.</param>
/// <param name="Takes">The settings that it can be written with.</param>
internal sealed record WrittenFormat(WeightFormat Format, double Tolerance, Predicate<Setting> Takes)
{
    /// <summary>Every format but float.</summary>
    public static readonly IReadOnlyList<WrittenFormat> All =
    [
        new(WeightFormat.Folded, Tolerance: 0, _ => true),
        new(WeightFormat.Auto, Tolerance: 0, s => s.Bits == 8 && s.Granularity == "channel"),
    ];
}
