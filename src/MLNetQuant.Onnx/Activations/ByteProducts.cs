using System.Runtime.Intrinsics.X86;

namespace MLNetQuant.Onnx.Activations;

/// <summary>How this machine multiplies bytes.</summary>
internal static class ByteProducts
{
    /// <summary>Bits of the weights that no such machine makes overflow.</summary>
    public const int SafeBits = 7;

    private const int Avx512Vnni = 1 << 11; // leaf 7, ECX
    private const int AvxVnni = 1 << 4;     // leaf 7.1, EAX

    /// <summary>Whether pairs of products are added in 16 bits: an x86 processor without the vector neural network instructions.</summary>
    public static bool Overflow { get; } = X86Base.IsSupported && !HasVnni();

    /// <summary>Whether weights have seven bits at most.</summary>
    public static bool AreReduced(ReducedRange choice) => choice == ReducedRange.Always || (choice == ReducedRange.Auto && Overflow);

    private static bool HasVnni()
    {
        if (X86Base.CpuId(0, 0).Eax < 7)
            return false;
        var (leaves, _, features, _) = X86Base.CpuId(7, 0);
        return (features & Avx512Vnni) != 0 || (leaves >= 1 && (X86Base.CpuId(7, 1).Eax & AvxVnni) != 0);
    }
}
