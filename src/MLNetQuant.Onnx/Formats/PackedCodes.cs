using MLNetQuant.Grids;

namespace MLNetQuant.Onnx.Formats;

/// <summary>
/// Codes of fewer than eight bits, several in a byte. A code counts from the alphabet's lowest, u = (code − low)/stride,
/// and its bits are cut into planes of 4, 2 or 1 bits (3 bits are a plane of 2 above one of 1), since those fill bytes
/// without a rest. Element i of a plane with k elements in a byte stands in byte i mod n/k at bit (i div n/k)·8/k, so that
/// unpacking needs no transposition.
/// </summary>
/// <param name="FirstBit">Weight of the plane in u: 2^FirstBit.</param>
/// <param name="Width">Bits per element: 1, 2 or 4.</param>
/// <param name="Bytes">The packed elements; the last ones may be padding.</param>
internal sealed record PackedCodes(int FirstBit, int Width, byte[] Bytes)
{
    /// <summary>Elements in a byte.</summary>
    public int PerByte => 8 / Width;

    /// <summary>Packs codes into planes, the lowest bits first.</summary>
    /// <param name="codes">Codes of the alphabet.</param>
    /// <param name="alphabet">At most 7 bits.</param>
    public static IReadOnlyList<PackedCodes> Pack(ReadOnlySpan<sbyte> codes, Alphabet alphabet)
    {
        var planes = new List<PackedCodes>();
        var firstBit = 0;
        foreach (var width in new[] { 1, 2, 4 })
        {
            if ((alphabet.Bits & width) == 0)
                continue;
            var perByte = 8 / width;
            var bytes = new byte[(codes.Length + perByte - 1) / perByte];
            for (var i = 0; i < codes.Length; i++)
            {
                var u = (codes[i] - alphabet.Low) / alphabet.Stride;
                var (part, at) = Math.DivRem(i, bytes.Length);
                bytes[at] |= (byte)(((u >> firstBit) & ((1 << width) - 1)) << (part * width));
            }

            planes.Add(new(firstBit, width, bytes));
            firstBit += width;
        }

        return planes;
    }
}
