using MLNetQuant.Algorithms;
using MLNetQuant.Grids;

namespace MLNetQuant.Onnx.Tests.Variants;

/// <summary>Bits and grid that every variant is quantized with.</summary>
/// <param name="Bits">Bits per weight.</param>
/// <param name="Granularity">Which weights share a scale.</param>
/// <param name="ZeroPoint">Whether grids have zero points.</param>
/// <param name="LargestError">Relative error of a layer of random weights that is no sign of weights in the wrong place.</param>
internal sealed record Setting(int Bits, string Granularity, ZeroPointRule ZeroPoint, double LargestError)
{
    /// <summary>Each by its name in the list of tests.</summary>
    public static readonly IReadOnlyDictionary<string, Setting> All = new Dictionary<string, Setting>
    {
        ["8 bits"] = new(8, "channel", ZeroPointRule.None, 0.02),
        ["8 bits, blocks, zero points"] = new(8, "block:16", ZeroPointRule.Range, 0.02),
        ["4 bits"] = new(4, "channel", ZeroPointRule.None, 0.3),
        ["4 bits, one scale, zero point"] = new(4, "tensor", ZeroPointRule.Range, 0.3),
        ["2 bits, zero points"] = new(2, "channel", ZeroPointRule.LeastError, 0.9),
    };

    /// <summary>The options, with the plain algorithm that costs least: which one chooses the codes does not matter here.</summary>
    public QuantizationOptions Options(WeightFormat format) => new()
    {
        Bits = Bits,
        Granularity = Grids.Granularity.Parse(Granularity),
        ZeroPoint = ZeroPoint,
        Format = format,
        Algorithm = new Gpfq(),
        BatchSize = 16,
    };
}
