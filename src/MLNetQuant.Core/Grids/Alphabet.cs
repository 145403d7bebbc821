namespace MLNetQuant.Grids;

/// <summary>
/// The integer codes a weight may take: all integers from <see cref="Low"/> to <see cref="High"/>, or for one bit
/// only −1 and +1.
/// </summary>
/// <param name="Low">Smallest code, −128 to −1.</param>
/// <param name="High">Largest code, 1 to 127.</param>
/// <exception cref="ArgumentOutOfRangeException">Codes outside these ranges.</exception>
public readonly record struct Alphabet(int Low, int High)
{
    /// <summary>Smallest code, −128 to −1.</summary>
    public int Low { get; } = Low is >= sbyte.MinValue and <= -1
        ? Low
        : throw new ArgumentOutOfRangeException(nameof(Low), $"The smallest code of an alphabet is {Low}; it must be from -128 to -1.");

    /// <summary>Largest code, 1 to 127.</summary>
    public int High { get; } = High is >= 1 and <= sbyte.MaxValue
        ? High
        : throw new ArgumentOutOfRangeException(nameof(High), $"The largest code of an alphabet is {High}; it must be from 1 to 127.");

    /// <summary>Whether there are two codes only, −1 and +1.</summary>
    public bool IsBinary { get; private init; }

    /// <summary>Distance from one code to the next: 1, or 2 for the binary alphabet.</summary>
    public int Stride => IsBinary ? 2 : 1;

    /// <summary>Number of codes.</summary>
    public int Levels => ((High - Low) / Stride) + 1;

    /// <summary>Bits that a code takes: the logarithm of the number of codes to base 2, rounded up.</summary>
    public int Bits => Levels <= 1 ? 0 : int.Log2(Levels - 1) + 1;

    /// <summary>
    /// The full two's complement range of so many bits, −2^(b−1) to 2^(b−1) − 1; for one bit −1 and +1.
    /// </summary>
    /// <param name="bits">From 1 to 8.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than 1 bit or more than 8.</exception>
    public static Alphabet OfBits(int bits) => bits switch
    {
        1 => new(-1, 1) { IsBinary = true },
        >= 2 and <= 8 => new(-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
        _ => throw new ArgumentOutOfRangeException(nameof(bits), $"Weights cannot be quantized to {bits} bits; use 1 to 8."),
    };

    /// <summary>
    /// The 2^b + 1 codes −2^(b−1) to 2^(b−1) that the code beside the GPFQ and SPFQ papers counts as b bits. One code
    /// more than b bits hold: for comparison with published figures only.
    /// </summary>
    /// <param name="bits">From 1 to 7.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than 1 bit or more than 7.</exception>
    public static Alphabet OfPaper(int bits) => bits is >= 1 and <= 7
        ? new(-(1 << (bits - 1)), 1 << (bits - 1))
        : throw new ArgumentOutOfRangeException(nameof(bits), $"The papers' alphabet of {bits} bits does not exist or has codes beyond one byte; use 1 to 7.");

    /// <summary>Whether a number is one of the codes.</summary>
    public bool Contains(int code) => code >= Low && code <= High && (code - Low) % Stride == 0;

    /// <summary>The codes as a range: "-8..7"; for one bit "-1,1".</summary>
    public override string ToString() => IsBinary ? "-1,1" : $"{Low}..{High}";
}
