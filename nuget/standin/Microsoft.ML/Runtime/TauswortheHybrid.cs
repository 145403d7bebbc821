using System.Numerics;

namespace Microsoft.ML.Runtime;

/// <summary>
/// The generator of GPU Gems 3, chapter 37: three Tausworthe steps and one linear congruential one. Seeded like
/// ML.NET's, so that a seed gives the same numbers.
/// </summary>
internal sealed class TauswortheHybrid : Random
{
    private const double TwoToMinus32 = 1.0 / 4294967296.0;

    private uint _z1;
    private uint _z2;
    private uint _z3;
    private uint _z4;

    public TauswortheHybrid(int seed)
    {
        _z1 = (uint)seed;
        _z2 = MurmurRound(_z1, _z1);
        _z3 = MurmurRound(_z2, _z1);
        _z4 = MurmurRound(_z3, _z1);
    }

    public TauswortheHybrid(Random source)
    {
        _z1 = TauswortheSeed(source);
        _z2 = TauswortheSeed(source);
        _z3 = TauswortheSeed(source);
        _z4 = Uniform32(source);
    }

    public override double NextDouble() => NextUInt32() * TwoToMinus32;

    public override int Next() => (int)(NextUInt32() & int.MaxValue);

    public override int Next(int maxValue)
    {
        Contracts.CheckParam(maxValue >= 0, nameof(maxValue), "maxValue must be non-negative");
        return (int)(((ulong)NextUInt32() * (ulong)maxValue) >> 32);
    }

    public override int Next(int minValue, int maxValue)
    {
        Contracts.CheckParam(minValue <= maxValue, nameof(minValue), "minValue must be less than or equal to maxValue.");
        long range = (long)maxValue - minValue;
        return (int)((long)(NextDouble() * range) + minValue);
    }

    public override void NextBytes(byte[] buffer)
    {
        Contracts.CheckValue(buffer, nameof(buffer));
        for (int i = 0; i < buffer.Length; i++)
            buffer[i] = (byte)Next();
    }

    protected override double Sample() => NextDouble();

    private uint NextUInt32()
    {
        _z1 = Tausworthe(_z1, 13, 19, 12, ~0x1U);
        _z2 = Tausworthe(_z2, 2, 25, 4, ~0x7U);
        _z3 = Tausworthe(_z3, 3, 11, 17, ~0xFU);
        _z4 = (1664525 * _z4) + 1013904223;
        return _z1 ^ _z2 ^ _z3 ^ _z4;
    }

    private static uint Tausworthe(uint z, int a, int b, int c, uint mask) => ((z & mask) << c) ^ (((z << a) ^ z) >> b);

    // One block of MurmurHash3 x86-32.
    private static uint MurmurRound(uint hash, uint block)
    {
        block = BitOperations.RotateLeft(block * 0xCC9E2D51, 15) * 0x1B873593;
        return (BitOperations.RotateLeft(hash ^ block, 13) * 5) + 0xE6546B64;
    }

    private static uint Uniform32(Random source) => ((uint)source.Next(0x10000) << 16) | (uint)source.Next(0x10000);

    // A Tausworthe component must have a bit above the masked ones.
    private static uint TauswortheSeed(Random source)
    {
        uint seed;
        do
            seed = Uniform32(source);
        while (seed < 128);
        return seed;
    }
}
