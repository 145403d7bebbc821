using MLNetQuant.Algorithms;
using MLNetQuant.Grids;

namespace MLNetQuant.Onnx.Formats;

/// <summary>
/// Codes of a matrix as ONNX Runtime's kernels for blocks store them: output by output, 2, 4 or 8 bits each, low bits
/// first, every block and every row of zero points filled up to whole bytes. A stored code counts from −2^(bits−1).
/// </summary>
internal sealed class BlockCodes
{
    /// <summary>Blocks over which a scale for a whole output is repeated.</summary>
    private static readonly int[] RepeatedBlocks = [128, 64, 32];

    private BlockCodes()
    {
    }

    /// <summary>Bits that a stored code takes.</summary>
    public required int Bits { get; init; }

    /// <summary>Inputs of a block.</summary>
    public required int BlockSize { get; init; }

    /// <summary>Blocks of an output.</summary>
    public required int Blocks { get; init; }

    /// <summary>Outputs × blocks × bytes of a block.</summary>
    public required byte[] Codes { get; init; }

    /// <summary>Outputs × blocks.</summary>
    public required float[] Scales { get; init; }

    /// <summary>Outputs × bytes of a row; null where all of them are zero.</summary>
    public required byte[]? ZeroPoints { get; init; }

    /// <summary>Bytes of a block.</summary>
    public int BlockBytes => BlockSize * Bits / 8;

    /// <summary>Stores codes; a scale that holds for a whole output is repeated for blocks of the size that takes least room.</summary>
    public static BlockCodes Of(QuantizedWeights weights)
    {
        var grid = weights.Grid;
        var bits = StoredBits(grid.Alphabet.Bits);
        var size = SizeOf(grid);
        var blocks = (grid.Inputs + size - 1) / size;
        var codes = new byte[grid.Outputs * blocks * size * bits / 8];
        var scales = new float[grid.Outputs * blocks];
        var zeroBytes = ((blocks * bits) + 7) / 8;
        var zeroPoints = new byte[grid.Outputs * zeroBytes];
        var middle = 1 << (bits - 1);
        for (var output = 0; output < grid.Outputs; output++)
        {
            // The padding is a code as well: that of zero.
            for (var input = 0; input < blocks * size; input++)
                Put(codes.AsSpan(output * blocks * size * bits / 8), input, (input < grid.Inputs ? weights.Codes[input, output] : 0) + middle);
            for (var block = 0; block < blocks; block++)
            {
                scales[(output * blocks) + block] = grid.Scale(block * size, output);
                Put(zeroPoints.AsSpan(output * zeroBytes), block, grid.ZeroPoint(block * size, output) + middle);
            }
        }

        return new() { Bits = bits, BlockSize = size, Blocks = blocks, Codes = codes, Scales = scales, ZeroPoints = grid.ZeroPoints is null ? null : zeroPoints };

        void Put(Span<byte> bytes, int at, int code) => bytes[at * bits / 8] |= (byte)(code << (at * bits % 8));
    }

    /// <summary>Inputs of a block: those of the grid, or as many as take least room.</summary>
    public static int SizeOf(Grid grid)
    {
        return grid.Scales.Rows > 1 ? grid.BlockSize : RepeatedBlocks.MinBy(Room);

        int Room(int size) => (grid.Inputs + size - 1) / size * ((size * StoredBits(grid.Alphabet.Bits) / 8) + sizeof(float));
    }

    /// <summary>The kernels know 2, 4 and 8 bits.</summary>
    private static int StoredBits(int bits) => bits switch { <= 2 => 2, <= 4 => 4, _ => 8 };
}
