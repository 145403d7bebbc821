namespace MLNetQuant.Onnx.Tests.Variants;

/// <summary>All variants by name.</summary>
internal static class OperatorVariants
{
    public static readonly IReadOnlyDictionary<string, Variant> All = ProductVariants.All
        .Concat(ConvolutionVariants.All).Concat(RecurrentVariants.All).Concat(PlacementVariants.All).Concat(HalfVariants.All).Concat(BodyVariants.All)
        .ToDictionary(v => v.Key, v => v.Value);

    /// <summary>Every variant.</summary>
    public static TheoryData<string> Names => [.. All.Keys];

    /// <summary>Those whose output is αXW + βb, W a constant of the graph.</summary>
    public static TheoryData<string> PlainNames =>
        [.. ProductVariants.All.Concat(ConvolutionVariants.All).Where(v => v.Value.IsPlain).Select(v => v.Key)];
}
