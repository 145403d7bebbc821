using MLNetQuant.Numerics;

namespace MLNetQuant.Statistics;

/// <summary>The calibration rows of a layer that has more inputs than there are rows, or too many for H.</summary>
/// <param name="Count">Number of rows.</param>
/// <param name="Float">X, rows × inputs.</param>
/// <param name="Quantized">X̃; the same object where X̃ = X.</param>
/// <param name="Outputs">XW, rows × outputs.</param>
internal sealed record RetainedRows(int Count, float[] Float, float[] Quantized, float[] Outputs)
{
    /// <summary>N.</summary>
    public int Inputs => Float.Length / Count;

    /// <summary>Whether X̃ = X is known.</summary>
    public bool StreamsAreEqual => ReferenceEquals(Float, Quantized);

    /// <summary>Whether matrices of inputs × inputs must not be formed, for they could not be held.</summary>
    public bool AreAlone { get; init; }

    /// <summary>H = X̃ᵀX̃.</summary>
    public Matrix<double> H(int threads)
    {
        RequireGram();
        var h = new Matrix<double>(Inputs, Inputs);
        new ManagedMatrixProduct(threads).AddGram(Quantized, Count, h);
        return h;
    }

    /// <summary>G = X̃ᵀX.</summary>
    public Matrix<double> G(int threads)
    {
        RequireGram();
        return Product(Float, threads);
    }

    /// <summary>C = X̃ᵀXW.</summary>
    public Matrix<double> C(int threads) => Product(Outputs, threads);

    /// <summary>X̃V in fp64, rows × outputs.</summary>
    public Matrix<double> Multiply<T>(Matrix<T> v, int threads) where T : unmanaged =>
        DoubleProduct.Multiply(new PackedRows(new(Count, Inputs, Array.ConvertAll(Quantized, x => (double)x)), MatrixPart.Full), v, threads);

    /// <summary>diag H, in fp64.</summary>
    public double[] SquaredNorms()
    {
        var norms = new double[Inputs];
        for (var i = 0; i < Quantized.Length; i += norms.Length)
            WideSums.AddSquares(Quantized.AsSpan(i, norms.Length), norms);
        return norms;
    }

    /// <summary>These rows and others of the same layer below them.</summary>
    public RetainedRows Append(RetainedRows other)
    {
        float[] x = [.. Float, .. other.Float];
        var quantized = StreamsAreEqual && other.StreamsAreEqual ? x : [.. Quantized, .. other.Quantized];
        return new(Count + other.Count, x, quantized, [.. Outputs, .. other.Outputs]) { AreAlone = AreAlone };
    }

    /// <summary>The rows less the means of all rows; inputs that are constant become zero.</summary>
    public RetainedRows Less(LayerStatistics all, bool[] constant)
    {
        var x = Less(Float, all.FloatInputMean ?? all.InputMean, constant);
        return this with
        {
            Float = x,
            Quantized = StreamsAreEqual ? x : Less(Quantized, all.InputMean, constant),
            Outputs = Less(Outputs, all.OutputMean, []),
        };
    }

    /// <summary>The rows with each input multiplied by a factor, which leaves the outputs as they are.</summary>
    /// <param name="by">Powers of two.</param>
    public RetainedRows Times(double[] by)
    {
        var x = Times(Float, by);
        return this with { Float = x, Quantized = StreamsAreEqual ? x : Times(Quantized, by) };
    }

    private static float[] Times(float[] rows, double[] by)
    {
        var result = new float[rows.Length];
        for (var i = 0; i < rows.Length; i += by.Length)
        {
            for (var t = 0; t < by.Length; t++)
                result[i + t] = (float)(rows[i + t] * by[t]);
        }

        return result;
    }

    private static float[] Less(float[] rows, double[] mean, bool[] zero)
    {
        var result = new float[rows.Length];
        for (var i = 0; i < rows.Length; i += mean.Length)
        {
            for (var j = 0; j < mean.Length; j++)
                result[i + j] = j < zero.Length && zero[j] ? 0 : (float)(rows[i + j] - mean[j]);
        }

        return result;
    }

    private void RequireGram()
    {
        if (AreAlone)
            throw new InvalidOperationException($"Of a layer of {Inputs} inputs the rows alone were kept, without H and G; use an algorithm that works on them.");
    }

    private Matrix<double> Product(float[] right, int threads)
    {
        var product = new Matrix<double>(Inputs, right.Length / Count);
        new ManagedMatrixProduct(threads).AddTransposedProduct(Quantized, right, Count, product);
        return product;
    }
}
