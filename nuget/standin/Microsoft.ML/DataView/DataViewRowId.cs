using System.Numerics;

namespace Microsoft.ML.Data;

/// <summary>A 128-bit identity of a row; ids made from others mix with the rounds of MurmurHash3 x64-128.</summary>
public readonly struct DataViewRowId : IComparable<DataViewRowId>, IEquatable<DataViewRowId>
{
    private const ulong C1 = 0x87c37b91114253d5;
    private const ulong C2 = 0x4cf5ad432745937f;

    public readonly ulong Low;
    public readonly ulong High;

    public DataViewRowId(ulong low, ulong high)
    {
        Low = low;
        High = high;
    }

    public override string ToString() => $"{High:x16}{Low:x16}";

    public int CompareTo(DataViewRowId other) =>
        High != other.High ? High.CompareTo(other.High) : Low.CompareTo(other.Low);

    public bool Equals(DataViewRowId other) => Low == other.Low && High == other.High;

    public override bool Equals(object obj) => obj is DataViewRowId other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(Low, High);

    /// <summary>The id after mixing in the block (1, 0).</summary>
    public DataViewRowId Fork()
    {
        DataViewRowId next = Next();
        return new DataViewRowId(next.Low ^ (BitOperations.RotateLeft(C1, 31) * C2), next.High);
    }

    /// <summary>The id after mixing in the block (0, 0).</summary>
    public DataViewRowId Next()
    {
        ulong low = RoundLow(Low, High);
        return new DataViewRowId(low, RoundHigh(High, low));
    }

    /// <summary>The id after mixing in the fork of another id.</summary>
    public DataViewRowId Combine(DataViewRowId other)
    {
        DataViewRowId block = other.Fork();
        ulong low = RoundLow(Low ^ (BitOperations.RotateLeft(block.Low * C1, 31) * C2), High);
        ulong high = RoundHigh(High ^ (BitOperations.RotateLeft(block.High * C2, 33) * C1), low);
        return new DataViewRowId(low, high);
    }

    private static ulong RoundLow(ulong low, ulong high) =>
        ((BitOperations.RotateLeft(low, 27) + high) * 5) + 0x52dce729;

    private static ulong RoundHigh(ulong high, ulong low) =>
        ((BitOperations.RotateLeft(high, 31) + low) * 5) + 0x38495ab5;
}
