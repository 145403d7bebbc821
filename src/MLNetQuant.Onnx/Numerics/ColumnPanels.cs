using System.Buffers;
using MLNetQuant.Onnx.Calibration;

namespace MLNetQuant.Onnx.Numerics;

/// <summary>
/// Columns of a row-major matrix, copied into panels that are dense in themselves, as an ONNX tensor must be.
/// </summary>
internal sealed unsafe class ColumnPanels : IDisposable
{
    private readonly float[] _data;
    private readonly MemoryHandle _pin;

    /// <param name="source">The matrix.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="cut">How its columns are cut.</param>
    /// <param name="transposed">Whether each panel is stored as width × rows.</param>
    /// <param name="threads">Zero for all processors.</param>
    public ColumnPanels(float* source, int rows, int columns, PanelCut cut, bool transposed, int threads)
    {
        Rows = rows;
        Cut = cut;
        _data = ArrayPool<float>.Shared.Rent(checked(rows * columns));
        _pin = _data.AsMemory().Pin();
        var target = (float*)_pin.Pointer;
        ParallelWork.For(cut.Count, threads, panel =>
        {
            var (first, width) = (cut.First(panel), cut.Width(panel));
            var packed = target + ((long)rows * first);
            if (transposed)
                Transpose(source + first, columns, rows, width, packed);
            else
                Copy(source + first, columns, rows, width, packed);
        }, CancellationToken.None);
    }

    /// <summary>Rows of the matrix.</summary>
    public int Rows { get; }

    /// <summary>How the columns are cut.</summary>
    public PanelCut Cut { get; }

    /// <summary>Where a panel begins.</summary>
    public float* this[int panel] => (float*)_pin.Pointer + ((long)Rows * Cut.First(panel));

    public void Dispose()
    {
        _pin.Dispose();
        ArrayPool<float>.Shared.Return(_data);
    }

    private static void Copy(float* source, long stride, int rows, int width, float* target)
    {
        for (var row = 0L; row < rows; row++)
            new ReadOnlySpan<float>(source + (row * stride), width).CopyTo(new(target + (row * width), width));
    }

    private static void Transpose(float* source, long stride, int rows, int width, float* target)
    {
        const int Block = 16; // floats in a cache line; the strides of both sides would crowd one set of the cache
        var block = stackalloc float[Block * Block];
        for (var row0 = 0; row0 < rows; row0 += Block)
        {
            var height = Math.Min(Block, rows - row0);
            for (var column0 = 0; column0 < width; column0 += Block)
            {
                var count = Math.Min(Block, width - column0);
                for (var row = 0; row < height; row++)
                    new ReadOnlySpan<float>(source + ((row0 + row) * stride) + column0, count).CopyTo(new(block + (row * Block), Block));
                for (var column = 0; column < count; column++)
                {
                    var line = target + ((long)(column0 + column) * rows) + row0;
                    for (var row = 0; row < height; row++)
                        line[row] = block[(row * Block) + column];
                }
            }
        }
    }
}
