using System.Numerics;
using MLNetQuant.Numerics;

namespace MLNetQuant.Statistics;

/// <summary>Sums over rows in fp64: blocks of rows in parallel, added in their order, so that threads change no bit.</summary>
internal static unsafe class ColumnSums
{
    private const int BlockRows = 256;
    private const int ParallelValues = 1 << 17; // below this, starting threads costs more than it saves

    /// <summary>The sum of each column; null where a value is NaN or beyond the limit in size.</summary>
    public static double[]? OfBounded(ReadOnlySpan<float> rows, int columns, float limit, int threads)
    {
        var bounded = true;
        var sums = Of(rows, columns, threads, (block, sum) =>
        {
            if (!AddBounded(block, sum, limit))
                Volatile.Write(ref bounded, false);
        });
        return bounded ? sums : null;
    }

    /// <summary>The sum of the squares of each column.</summary>
    public static double[] OfSquares(ReadOnlySpan<float> rows, int columns, int threads) => Of(rows, columns, threads, (block, sum) =>
    {
        for (var i = 0; i < block.Length; i += columns)
            WideSums.AddSquares(block.Slice(i, columns), sum);
    });

    private delegate void BlockSum(ReadOnlySpan<float> rows, Span<double> sums);

    private static double[] Of(ReadOnlySpan<float> rows, int columns, int threads, BlockSum add)
    {
        var count = rows.Length / columns;
        var partial = new double[(count + BlockRows - 1) / BlockRows][];
        fixed (float* values = rows)
        {
            var first = values;
            Workers.For(partial.Length, rows.Length < ParallelValues ? 1 : threads, block =>
            {
                var row = block * BlockRows;
                partial[block] = new double[columns];
                add(new(first + ((long)row * columns), Math.Min(BlockRows, count - row) * columns), partial[block]);
            });
        }

        var sums = partial.Length == 0 ? new double[columns] : partial[0];
        for (var block = 1; block < partial.Length; block++)
            Dense.AddScaled(1, partial[block], sums);
        return sums;
    }

    private static bool AddBounded(ReadOnlySpan<float> rows, Span<double> sums, float limit)
    {
        var bound = new Vector<float>(limit);
        var half = Vector<double>.Count;
        var bounded = true;
        fixed (float* values = rows)
        fixed (double* sum = sums)
        {
            for (var row = values; row < values + rows.Length; row += sums.Length)
            {
                var inside = Vector<int>.AllBitsSet;
                var i = 0;
                for (; i <= sums.Length - (2 * half); i += 2 * half)
                {
                    var value = Vector.Load(row + i);
                    inside &= Vector.LessThanOrEqual(Vector.Abs(value), bound);
                    Vector.Widen(value, out var low, out var high);
                    (Vector.Load(sum + i) + low).Store(sum + i);
                    (Vector.Load(sum + i + half) + high).Store(sum + i + half);
                }

                bounded &= Vector.EqualsAll(inside, Vector<int>.AllBitsSet);
                for (; i < sums.Length; i++)
                {
                    bounded &= Math.Abs(row[i]) <= limit;
                    sum[i] += row[i];
                }
            }
        }

        return bounded;
    }
}
