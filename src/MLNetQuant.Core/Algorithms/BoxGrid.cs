using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.Algorithms;

/// <summary>
/// The boxes |z_t| ≤ c_t of pre-processed MSQ and the grid whose points ±c_t are: c is about 1.5 times the root mean
/// square of the weights that share a scale, and grows where no point of the box keeps Az = Aw.
/// </summary>
internal static class BoxGrid
{
    internal const double RootMeanSquares = 1.5;

    private const double Growth = 1.15;
    private const double LeastShare = 0.1; // a block of small weights still has room for what other blocks shed

    /// <summary>Starting points for all neurons, the codes of their bounds, and the grid.</summary>
    /// <param name="a">A, whose rows are orthonormal.</param>
    /// <param name="target">w of every neuron, one per row.</param>
    /// <param name="recipe">Alphabet and granularity; or a fixed grid, which is kept.</param>
    /// <param name="fixedGrid">The grid of a fixed recipe.</param>
    /// <param name="context">Threads and cancellation.</param>
    /// <returns>Starting points, one per row; for every neuron k, where c_t = k · scale, or 0 where there is no box
    /// that the alphabet can reach; the grid.</returns>
    internal static (Matrix<double> Start, int[] Codes, Grid Grid) Find(
        WalkConstraints a, Matrix<double> target, GridRecipe recipe, Grid? fixedGrid, QuantizationContext context)
    {
        var start = new Matrix<double>(target.Rows, target.Columns);
        var codes = new int[target.Rows];
        if (fixedGrid is not null)
        {
            Workers.For(target.Rows, context.Threads, i => codes[i] = FixedBox(a, target.Row(i), start.Row(i), fixedGrid, i), context.CancellationToken);
            return (start, codes, fixedGrid);
        }

        var blockSize = recipe.Granularity.BlockSize(target.Columns);
        var sizes = Sizes(target, blockSize, recipe.Granularity.SeparatesOutputs);
        Workers.For(target.Rows, context.Threads, i => Grow(a, target.Row(i), start.Row(i), sizes.Row(i), blockSize), context.CancellationToken);
        var widest = Math.Min(recipe.Alphabet.High, -recipe.Alphabet.Low);
        Array.Fill(codes, widest);
        return (start, codes, new(recipe.Alphabet, recipe.Granularity, target.Columns, Scales(sizes, widest, recipe.Granularity.SeparatesOutputs)));
    }

    /// <summary>c of each block of each neuron, before any growth.</summary>
    private static Matrix<double> Sizes(Matrix<double> target, int blockSize, bool separate)
    {
        var blocks = (target.Columns + blockSize - 1) / blockSize;
        var sizes = new Matrix<double>(target.Rows, blocks);
        for (var i = 0; i < target.Rows; i++)
        {
            var least = LeastShare * RootMeanSquare(target.Row(i));
            for (var block = 0; block < blocks; block++)
            {
                var weights = target.Row(i)[(block * blockSize)..Math.Min(target.Columns, (block + 1) * blockSize)];
                sizes[i, block] = RootMeanSquares * Math.Max(least, RootMeanSquare(weights));
            }
        }

        if (!separate)
            sizes.Data.AsSpan().Fill(RootMeanSquares * RootMeanSquare(target.Data));
        return sizes;
    }

    private static void Grow(WalkConstraints a, ReadOnlySpan<double> target, Span<double> start, Span<double> sizes, int blockSize)
    {
        var bounds = new double[target.Length];
        if (target.IndexOfAnyExcept(0) < 0)
            return;
        while (true)
        {
            for (var t = 0; t < bounds.Length; t++)
                bounds[t] = sizes[t / blockSize];
            if (BoxStart.TryFind(a, target, bounds, start))
                return;
            for (var block = 0; block < sizes.Length; block++)
                sizes[block] *= Growth;
        }
    }

    /// <summary>Scales with c = k · scale, rounded upwards so that every code times its scale is exact in float32.</summary>
    private static Matrix<float> Scales(Matrix<double> sizes, int widest, bool separate)
    {
        var scales = new Matrix<float>(sizes.Columns, sizes.Rows);
        for (var i = 0; i < sizes.Rows; i++)
        {
            for (var block = 0; block < sizes.Columns; block++)
                scales[block, i] = RoundUp(sizes[i, block] / widest);
        }

        if (!separate)
            scales.Data.AsSpan().Fill(scales.Data.Max());
        return scales;
    }

    /// <summary>The next float32 with 16 significant bits; 1 for zero.</summary>
    private static float RoundUp(double scale)
    {
        const double Smallest = 1e-30;
        if (scale == 0)
            return 1;
        var unit = Math.ScaleB(1, Math.ILogB(Math.Max(Smallest, scale)) - 15);
        return (float)(Math.Ceiling(Math.Max(Smallest, scale) / unit) * unit);
    }

    /// <summary>The smallest k from about 1.5 root mean squares upwards that has a starting point; 0 if none has.</summary>
    private static int FixedBox(WalkConstraints a, ReadOnlySpan<double> target, Span<double> start, Grid grid, int neuron)
    {
        var steps = new double[target.Length];
        var widest = int.MaxValue; // so that both k and −k are within the alphabet, counted from the zero point
        for (var t = 0; t < steps.Length; t++)
        {
            steps[t] = target[t] / grid.Scale(t, neuron);
            var zero = grid.ZeroPoint(t, neuron);
            widest = Math.Min(widest, Math.Min(grid.Alphabet.High - zero, zero - grid.Alphabet.Low));
        }

        var bounds = new double[target.Length];
        for (var code = (int)Math.Clamp(Math.Round(RootMeanSquares * RootMeanSquare(steps)), 1, Math.Max(1, widest)); code <= widest; code++)
        {
            for (var t = 0; t < bounds.Length; t++)
                bounds[t] = code * (double)grid.Scale(t, neuron);
            if (BoxStart.TryFind(a, target, bounds, start))
                return code;
        }

        target.CopyTo(start);
        return 0;
    }

    /// <summary>Of the entries that are not zero.</summary>
    private static double RootMeanSquare(ReadOnlySpan<double> values) =>
        Math.Sqrt(LeadingDirections.Dot(values, values) / Math.Max(1, values.Length - values.Count(0.0)));
}
