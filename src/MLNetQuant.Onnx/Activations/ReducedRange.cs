namespace MLNetQuant;

/// <summary>
/// Whether layers of integers have weights of seven bits at most. Processors with AVX2 or AVX-512 but without VNNI add pairs of
/// products of a uint8 and an int8 in 16 bits, which weights of eight bits overflow: 2 · 255 · 127 &gt; 2¹⁵.
/// </summary>
public enum ReducedRange
{
    /// <summary>Where this machine is such a processor: give <see cref="Always"/> where another one will run the model.</summary>
    Auto,

    /// <summary>On every machine.</summary>
    Always,

    /// <summary>Never: for machines with VNNI, or Arm.</summary>
    Never,
}
