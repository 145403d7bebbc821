using MLNetQuant.Grids;

namespace MLNetQuant.Algorithms;

/// <summary>
/// The infinite alphabet of the theory: no code is clipped. The scales are the recipe's; the codes are as large as the
/// path asks for, up to what one byte holds.
/// </summary>
internal static class UnlimitedLevels
{
    /// <summary>The same scales for all codes of one byte.</summary>
    internal static Grid Widen(Grid grid) => With(grid, new(sbyte.MinValue, sbyte.MaxValue));

    /// <summary>The result on the smallest alphabet of whole bits that has its codes and those of the recipe.</summary>
    /// <exception cref="InvalidOperationException">A code beyond one byte: clipping it would void what is promised.</exception>
    internal static QuantizedWeights Keep(QuantizedWeights wide, Alphabet recipe)
    {
        if (wide.Clipped > 0)
        {
            throw new InvalidOperationException(
                $"{wide.Clipped} codes of the unlimited alphabet lie beyond {sbyte.MinValue} to {sbyte.MaxValue}, which is what one byte holds; take a larger step or the alphabet of the recipe.");
        }

        int low = recipe.Low, high = recipe.High;
        foreach (var code in wide.Codes.Data)
            (low, high) = (Math.Min(low, code), Math.Max(high, code));
        var alphabet = recipe.IsBinary ? Alphabet.OfBits(2) : recipe;
        for (var bits = 2; low < alphabet.Low || high > alphabet.High; bits++)
            alphabet = Alphabet.OfBits(bits);
        return new(wide.Codes, With(wide.Grid, alphabet)) { DampingRaises = wide.DampingRaises };
    }

    /// <summary>The same grid with another alphabet.</summary>
    internal static Grid With(Grid grid, Alphabet alphabet) =>
        new(alphabet, grid.Granularity, grid.Inputs, grid.Scales, grid.ZeroPoints);
}
