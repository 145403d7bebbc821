using System.Numerics;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.Algorithms;

/// <summary>The steps of the path within a block of inputs, for one panel of outputs.</summary>
/// <param name="errorOrigin">What errors are taken from: P, or the weights.</param>
/// <param name="rounding">The rule.</param>
/// <param name="feedback">What enters the sums.</param>
/// <param name="order">The input of each step; null where step t is input t.</param>
/// <param name="first">First output of the panel.</param>
/// <param name="count">Outputs of the panel.</param>
/// <param name="lanes">The same, rounded up to whole tiles.</param>
internal readonly unsafe struct PanelPath<TRounding>(
    Matrix<double> errorOrigin, TRounding rounding, Feedback feedback, int[]? order, int first, int count, int lanes)
    where TRounding : struct, IRoundingRule
{
    /// <summary>Rounds the rows of a block one after the other, given their arguments less the sums over the block.</summary>
    /// <param name="s">S; the block's rows of it.</param>
    /// <param name="packed">Its data.</param>
    /// <param name="block">First row of the block within S, a multiple of 8.</param>
    /// <param name="end">One past its last.</param>
    /// <param name="origin">Step that row 0 of S belongs to.</param>
    /// <param name="fedBack">What is fed back, by rows of S.</param>
    /// <param name="fedBackRows">Rows of that scratch.</param>
    /// <param name="arguments">Arguments of the block.</param>
    /// <param name="argumentRows">Rows of that scratch, which is to hold whole tiles: all of their rows are written.</param>
    /// <returns>How many codes were clipped.</returns>
    internal long FollowBlock(
        PackedRows s,
        double* packed,
        int block,
        int end,
        int origin,
        double* fedBack,
        int fedBackRows,
        double* arguments,
        int argumentRows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(argumentRows, (end - block + TileKernel.Rows - 1) / TileKernel.Rows * TileKernel.Rows);
        var clipped = 0L;
        var width = TileKernel.Lanes<double>();
        Span<double> values = stackalloc double[count];
        for (var row = block; row < end; row += TileKernel.Rows)
        {
            var tile = row / TileKernel.Rows;
            DoubleProduct.AddTiles(
                s, packed, tile, tile + 1, block, row, fedBack, fedBackRows, lanes, LaneTiles.At(arguments, argumentRows, row - block, 0), argumentRows);
            for (var t = row; t < Math.Min(end, row + TileKernel.Rows); t++)
            {
                for (var lane = 0; lane < lanes; lane += width)
                {
                    var argument = LaneTiles.At(arguments, argumentRows, t - block, lane);
                    for (var j = row; j < t; j++)
                        AddScaled(packed[s.Offset(tile, j) + t - row], LaneTiles.At(fedBack, fedBackRows, j, lane), argument, width);
                }

                LaneTiles.Read(arguments, argumentRows, t - block, values);
                var step = origin + t;
                clipped += rounding.Round(order?[step] ?? step, first, values);
                if (feedback == Feedback.Error)
                    Subtract(errorOrigin.Row(step).Slice(first, count), values);
                else
                    Negate(values);
                LaneTiles.Write<double>(values, fedBack, fedBackRows, t);
            }
        }

        return clipped;
    }

    /// <summary>y += factor · x, fused.</summary>
    private static void AddScaled(double factor, double* x, double* y, int lanes)
    {
        var scale = new Vector<double>(factor);
        for (var i = 0; i < lanes; i += Vector<double>.Count)
            Vector.FusedMultiplyAdd(scale, Vector.Load(x + i), Vector.Load(y + i)).Store(y + i);
    }

    private static void Subtract(ReadOnlySpan<double> p, Span<double> q)
    {
        for (var i = 0; i < q.Length; i++)
            q[i] = p[i] - q[i];
    }

    private static void Negate(Span<double> q)
    {
        for (var i = 0; i < q.Length; i++)
            q[i] = -q[i];
    }
}
