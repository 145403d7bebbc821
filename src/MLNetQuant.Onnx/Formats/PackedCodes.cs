using MLNetQuant.Grids;

namespace MLNetQuant.Onnx.Formats;

/// <summary>
/// Codes of fewer than eight bits, several in a byte. A code counts from the alphabet's lowest, u = (code − low)/stride,
/// and its bits are cut into planes of 4, 2 or 1 bits (3 bits are a plane of 2 above one of 1), since those fill bytes
/// without a rest. Element i of a plane with k elements in a byte stands in byte ⌊i/k⌋ at bit (i mod k)·8/k, so that a
/// table of what each byte means, looked up byte by byte, unpacks a plane in order.
/// </summary>
/// <param name="FirstBit">Weight of the plane in u: 2^FirstBit.</param>
/// <param name="Width">Bits per element: 1, 2 or 4.</param>
/// <param name="Bytes">The packed elements; the last byte may be filled up.</param>
/// <param name="Table">256 rows, one for each byte, of what its elements add to their codes; in the first plane the alphabet's
/// lowest code is in it, so that the sum over the planes is the code itself.</param>
internal sealed record PackedCodes(int FirstBit, int Width, byte[] Bytes, sbyte[] Table)
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
                var (at, part) = Math.DivRem(i, perByte);
                bytes[at] |= (byte)(((u >> firstBit) & ((1 << width) - 1)) << (part * width));
            }

            planes.Add(new(firstBit, width, bytes, TableOf(alphabet, firstBit, width)));
            firstBit += width;
        }

        return planes;
    }

    private static sbyte[] TableOf(Alphabet alphabet, int firstBit, int width)
    {
        var perByte = 8 / width;
        var lowest = firstBit == 0 ? alphabet.Low : 0;
        var table = new sbyte[256 * perByte];
        for (var i = 0; i < table.Length; i++)
        {
            var (value, part) = Math.DivRem(i, perByte);
            var digit = (value >> (part * width)) & ((1 << width) - 1);
            table[i] = (sbyte)(lowest + (alphabet.Stride * (digit << firstBit)));
        }

        return table;
    }
}
