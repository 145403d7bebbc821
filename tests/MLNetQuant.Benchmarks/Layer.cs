using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Benchmarks;

/// <summary>A random layer behind quantized ones: X Gaussian, X̃ = X + 0.15 · another such matrix, W uniform on [−1, 1).</summary>
internal sealed class Layer
{
    /// <summary>Rows handed over at once, as the product does.</summary>
    public const int ChunkRows = 4096;

    public Layer(int inputs, int outputs, int rows)
    {
        var random = new Random(inputs + rows);
        Rows = rows;
        X = new float[inputs * rows];
        Quantized = new float[X.Length];
        Weights = new(inputs, outputs);
        for (var i = 0; i < X.Length; i++)
        {
            X[i] = Gaussian(random);
            Quantized[i] = X[i] + (0.15f * Gaussian(random));
        }

        for (var i = 0; i < Weights.Data.Length; i++)
            Weights.Data[i] = (2 * random.NextSingle()) - 1;
    }

    public int Rows { get; }

    public float[] X { get; }

    public float[] Quantized { get; }

    public Matrix<float> Weights { get; }

    /// <summary>XW, which the float stream of a calibration has; null until it is asked for.</summary>
    public float[]? Outputs { get; private set; }

    public static GridRecipe Recipe { get; } = new(Alphabet.OfBits(4), Granularity.PerChannel, ScaleRule.Mse);

    /// <summary>Lets <see cref="Accumulate(bool, IMatrixProduct, int)"/> have XW.</summary>
    public void ComputeOutputs(IMatrixProduct product)
    {
        Outputs = new float[Rows * Weights.Columns];
        product.Multiply(X, Weights.Data, Rows, Weights.Rows, Weights.Columns, Outputs);
    }

    /// <summary>Statistics of so many rows: those there are, again and again; from their outputs, where there are any.</summary>
    public LayerStatistics Accumulate(bool crossGram, IMatrixProduct product, int rows) =>
        Accumulate(crossGram, product, rows, 0, Rows);

    /// <summary>Four rows in five to quantize by, and the rest to judge by, as many together.</summary>
    public (LayerStatistics Fitted, LayerStatistics HeldBack) AccumulateParts(bool crossGram, IMatrixProduct product, int rows)
    {
        int heldBack = rows / 5, first = Rows - (Rows / 5);
        return (Accumulate(crossGram, product, rows - heldBack, 0, first), Accumulate(crossGram, product, heldBack, first, Rows));
    }

    private LayerStatistics Accumulate(bool crossGram, IMatrixProduct product, int rows, int from, int to)
    {
        var accumulator = new LayerStatisticsAccumulator(Weights, crossGram, product);
        for (var added = 0; added < rows;)
        {
            var first = from + (added % (to - from));
            var count = Math.Min(Math.Min(ChunkRows, rows - added), to - first);
            var range = (first * Weights.Rows)..((first + count) * Weights.Rows);
            if (Outputs is null)
                accumulator.Add(X.AsSpan(range), Quantized.AsSpan(range), count);
            else
                accumulator.Add(X.AsSpan(range), Quantized.AsSpan(range), Outputs.AsSpan(first * Weights.Columns, count * Weights.Columns), count);
            added += count;
        }

        return accumulator.ToStatistics();
    }

    private static float Gaussian(Random random) =>
        MathF.Sqrt(-2 * MathF.Log(1 - random.NextSingle())) * MathF.Cos(2 * MathF.PI * random.NextSingle());
}
