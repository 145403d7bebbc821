namespace Microsoft.ML.OnnxRuntime;

/// <summary>IEEE 754 half precision, as raw bits.</summary>
public readonly struct Float16(ushort value) : IEquatable<Float16>
{
    internal readonly ushort value = value;

    public float ToFloat() => (float)BitConverter.UInt16BitsToHalf(value);

    public static explicit operator Float16(float value) => new(BitConverter.HalfToUInt16Bits((Half)value));

    public static explicit operator float(Float16 value) => value.ToFloat();

    public static bool operator ==(Float16 left, Float16 right) => left.ToFloat() == right.ToFloat();

    public static bool operator !=(Float16 left, Float16 right) => !(left == right);

    public bool Equals(Float16 other) => ToFloat().Equals(other.ToFloat());

    public override bool Equals(object? obj) => obj is Float16 other && Equals(other);

    public override int GetHashCode() => ToFloat().GetHashCode();
}
