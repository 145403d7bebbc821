using System.Globalization;
using MLNetQuant.Grids;

namespace MLNetQuant.Benchmarks.Accuracy;

/// <summary>Bits and scales of the weights: a column of a table.</summary>
/// <param name="Bits">Bits per weight.</param>
/// <param name="Block">Inputs that share a scale, or 0 for one scale for each output.</param>
/// <param name="ZeroPoint">Whether grids have zero points.</param>
internal readonly record struct Configuration(int Bits, int Block, ZeroPointRule ZeroPoint)
{
    public Granularity Granularity => Block == 0 ? Granularity.PerChannel : Granularity.PerBlock(Block);

    public override string ToString()
    {
        var scales = Block == 0 ? "channel" : string.Create(CultureInfo.InvariantCulture, $"block of {Block}");
        var zero = ZeroPoint == ZeroPointRule.None ? "" : $", zero point ({ZeroPoint})";
        return string.Create(CultureInfo.InvariantCulture, $"{Bits} per {scales}{zero}");
    }
}
