using MLNetQuant.Numerics;

namespace MLNetQuant.Statistics;

/// <summary>
/// What the algorithms need to know of the calibration rows of one matrix problem with N inputs and M outputs.
/// X (rows × N) are the inputs of the float model, X̃ those of the model whose earlier layers are quantized, on the
/// same rows; W (N × M) are the float weights. The cost of everything later does not depend on the number of rows.
/// </summary>
public sealed class LayerStatistics
{
    private readonly Lazy<Matrix<double>> _h;
    private readonly Lazy<Matrix<double>>? _g; // the same object as _h when X̃ = X
    private readonly Lazy<Matrix<double>> _c;
    private readonly Lazy<double[]> _outputEnergy;

    /// <summary>Statistics from their parts, which are not copied.</summary>
    /// <param name="count">Number of rows, at least 1.</param>
    /// <param name="h">H = X̃ᵀX̃, N × N.</param>
    /// <param name="g">G = X̃ᵀX, N × N, or null; the same object as <paramref name="h"/> when X̃ = X.</param>
    /// <param name="c">C = X̃ᵀXW, N × M.</param>
    /// <param name="inputMean">Mean row of X̃, N.</param>
    /// <param name="outputMean">Mean row of XW, M.</param>
    /// <param name="outputEnergy">Σ (XW)² of each output, M.</param>
    /// <exception cref="ArgumentException">Shapes that do not agree, or no rows.</exception>
    public LayerStatistics(
        long count,
        Matrix<double> h,
        Matrix<double>? g,
        Matrix<double> c,
        double[] inputMean,
        double[] outputMean,
        double[] outputEnergy)
    {
        ArgumentNullException.ThrowIfNull(h);
        ArgumentNullException.ThrowIfNull(c);
        ArgumentNullException.ThrowIfNull(inputMean);
        ArgumentNullException.ThrowIfNull(outputMean);
        ArgumentNullException.ThrowIfNull(outputEnergy);
        if (count < 1)
            throw new ArgumentException($"Statistics of {count} rows say nothing; at least one row is needed.", nameof(count));
        int n = c.Rows, m = c.Columns;
        if (n < 1 || m < 1)
            throw new ArgumentException($"A layer has at least one input and one output, but C is {n}×{m}.", nameof(c));
        if (h.Rows != n || h.Columns != n)
            throw new ArgumentException($"C has {n} rows, so H must be {n}×{n}, not {h.Rows}×{h.Columns}.", nameof(h));
        if (g is not null && (g.Rows != n || g.Columns != n))
            throw new ArgumentException($"C has {n} rows, so G must be {n}×{n}, not {g.Rows}×{g.Columns}.", nameof(g));
        if (inputMean.Length != n)
            throw new ArgumentException($"The mean input has {inputMean.Length} numbers, but there are {n} inputs.", nameof(inputMean));
        if (outputMean.Length != m)
            throw new ArgumentException($"The mean output has {outputMean.Length} numbers, but there are {m} outputs.", nameof(outputMean));
        if (outputEnergy.Length != m)
            throw new ArgumentException($"The output energy has {outputEnergy.Length} numbers, but there are {m} outputs.", nameof(outputEnergy));
        _h = new(h);
        _g = g is null ? null : ReferenceEquals(g, h) ? _h : new(g);
        _c = new(c);
        (Inputs, Outputs) = (n, m);
        IsOneStream = StreamsAreEqual;
        (Count, InputMean, OutputMean, _outputEnergy) = (count, inputMean, outputMean, new(outputEnergy));
    }

    /// <summary>Statistics of rows that are kept: H, G and C are formed when they are asked for.</summary>
    internal LayerStatistics(
        RetainedRows rows, bool crossGram, double[] inputMean, double[] outputMean, double[] outputEnergy, int threads)
        : this(
            rows.Count,
            new Lazy<Matrix<double>>(() => rows.H(threads)),
            crossGram && !rows.StreamsAreEqual ? new(() => rows.G(threads)) : null,
            new(() => rows.C(threads)),
            inputMean,
            outputMean,
            new(outputEnergy))
    {
        (Rows, Threads) = (rows, threads);
        IsOneStream = rows.StreamsAreEqual;
        if (crossGram && rows.StreamsAreEqual)
            _g = _h;
    }

    /// <summary>Statistics whose parts are formed when they are asked for.</summary>
    internal LayerStatistics(
        long count,
        Lazy<Matrix<double>> h,
        Lazy<Matrix<double>>? g,
        Lazy<Matrix<double>> c,
        double[] inputMean,
        double[] outputMean,
        Lazy<double[]> outputEnergy)
    {
        (_h, _g, _c) = (h, g, c);
        (Inputs, Outputs) = (inputMean.Length, outputMean.Length);
        (Count, InputMean, OutputMean, _outputEnergy) = (count, inputMean, outputMean, outputEnergy);
        IsOneStream = g == h;
    }

    /// <summary>N.</summary>
    public int Inputs { get; }

    /// <summary>M.</summary>
    public int Outputs { get; }

    /// <summary>Number of rows.</summary>
    public long Count { get; }

    /// <summary>H = X̃ᵀX̃, N × N, symmetric.</summary>
    public Matrix<double> H => _h.Value;

    /// <summary>G = X̃ᵀX, N × N; null when it was not accumulated. The same object as <see cref="H"/> when X̃ = X.</summary>
    public Matrix<double>? G => _g?.Value;

    /// <summary>Whether X̃ = X is known, so that G is H.</summary>
    public bool StreamsAreEqual => ReferenceEquals(_g, _h);

    /// <summary>Whether G was asked for.</summary>
    internal bool HasCrossGram => _g is not null;

    /// <summary>Whether X̃ = X is known, even where G was not asked for.</summary>
    internal bool IsOneStream { get; init; }

    /// <summary>W, where the statistics remember it: C is then GW, if there is a G.</summary>
    internal Matrix<float>? Weights { get; init; }

    /// <summary>Threads that form what is asked for; zero for all processors.</summary>
    internal int Threads { get; init; }

    /// <summary>The rows themselves, where they are fewer than the inputs and were kept.</summary>
    internal RetainedRows? Rows { get; private init; }

    /// <summary>Whether rows are kept, from which <see cref="H"/>, <see cref="G"/> and <see cref="C"/> are formed when they are asked for.</summary>
    public bool KeepsRows => Rows is not null;

    /// <summary>
    /// Whether there are nothing but the rows: <see cref="H"/> and <see cref="G"/> are not to be had, and the algorithm must be one
    /// that works without them (<see cref="Algorithms.IWeightQuantizer.OnRowsAlone"/>).
    /// </summary>
    public bool AreRowsAlone => Rows is { AreAlone: true };

    /// <summary>C = X̃ᵀXW, N × M.</summary>
    public Matrix<double> C => _c.Value;

    /// <summary>Mean row of X̃, N.</summary>
    public double[] InputMean { get; }

    /// <summary>Mean row of X, N; null where it was not kept. Only needed to centre G where X̃ differs from X.</summary>
    /// <exception cref="ArgumentException">Another number of means than inputs.</exception>
    public double[]? FloatInputMean
    {
        get;
        init => field = value is null || value.Length == Inputs
            ? value
            : throw new ArgumentException($"The mean float input has {value.Length} numbers, but there are {Inputs} inputs.", nameof(value));
    }

    /// <summary>Mean row of XW, M.</summary>
    public double[] OutputMean { get; }

    /// <summary>Σ (XW)² over the rows, for each output, M.</summary>
    public double[] OutputEnergy => _outputEnergy.Value;

    /// <summary>Σ X̃² over the rows, for each input, N: the diagonal of H.</summary>
    public double[] InputEnergy()
    {
        if (Rows is not null)
            return Rows.SquaredNorms();
        var energy = new double[Inputs];
        for (var t = 0; t < energy.Length; t++)
            energy[t] = H[t, t];
        return energy;
    }

    /// <summary>
    /// The same without H, G and C that have been formed, if they can be formed again from the rows: whoever asks the result
    /// for them keeps them alive, and not whoever holds this.
    /// </summary>
    internal LayerStatistics Unformed() => Rows is null ? this : new(Rows, HasCrossGram, InputMean, OutputMean, OutputEnergy, Threads)
    {
        FloatInputMean = FloatInputMean,
        Weights = Weights,
    };

    /// <summary>The same without a G that has been formed, if it can be formed again from the rows.</summary>
    internal LayerStatistics WithoutFormedG() => Rows is null || _g is not { IsValueCreated: true } || StreamsAreEqual
        ? this
        : new(Count, _h, new(() => Rows.G(Threads)), _c, InputMean, OutputMean, _outputEnergy)
        {
            Rows = Rows,
            FloatInputMean = FloatInputMean,
            Weights = Weights,
            Threads = Threads,
            IsOneStream = IsOneStream,
        };

    /// <summary>The statistics of both sets of rows together, for the same layer and weights.</summary>
    /// <exception cref="ArgumentException">Another shape, or G on one side only.</exception>
    public LayerStatistics Merge(LayerStatistics other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Inputs != Inputs || other.Outputs != Outputs)
        {
            throw new ArgumentException(
                $"Statistics of a {other.Inputs}×{other.Outputs} layer cannot be merged into those of a {Inputs}×{Outputs} layer.", nameof(other));
        }

        if (HasCrossGram != other.HasCrossGram)
            throw new ArgumentException("One of the two statistics has G = X̃ᵀX and the other has not; accumulate both in the same way.", nameof(other));
        var count = Count + other.Count;
        var inputMean = Combine(InputMean, (double)Count / count, other.InputMean, (double)other.Count / count);
        var outputMean = Combine(OutputMean, (double)Count / count, other.OutputMean, (double)other.Count / count);
        var floatMean = FloatInputMean is null || other.FloatInputMean is null
            ? null
            : Combine(FloatInputMean, (double)Count / count, other.FloatInputMean, (double)other.Count / count);
        var weights = ReferenceEquals(Weights, other.Weights) ? Weights : null;
        if (Rows is not null && other.Rows is not null && (count < Inputs || AreRowsAlone))
        {
            return new(Rows.Append(other.Rows), HasCrossGram, inputMean, outputMean, Combine(OutputEnergy, 1, other.OutputEnergy, 1), Threads)
            {
                FloatInputMean = floatMean,
                Weights = weights,
            };
        }

        // Sums are formed when they are asked for; C as GW where that spares it for both parts.
        var h = new Lazy<Matrix<double>>(() => Sum(H, other.H));
        var g = !HasCrossGram ? null : StreamsAreEqual && other.StreamsAreEqual ? h : new Lazy<Matrix<double>>(() => Sum(G!, other.G!));
        var isOneStream = IsOneStream && other.IsOneStream;
        var cross = isOneStream ? h : g;
        return new(
            count,
            h,
            g,
            cross is null || weights is null
                ? new(() => Sum(C, other.C))
                : new(() => CrossProduct(cross.Value, weights, Threads)),
            inputMean,
            outputMean,
            new(() => Combine(OutputEnergy, 1, other.OutputEnergy, 1)))
        {
            FloatInputMean = floatMean,
            Weights = weights,
            IsOneStream = isOneStream,
            Threads = Threads,
        };
    }

    /// <summary>C = GW in fp64.</summary>
    internal static Matrix<double> CrossProduct(Matrix<double> g, Matrix<float> weights, int threads) =>
        DoubleProduct.Multiply(new PackedRows(g, MatrixPart.Full), weights, threads);

    /// <summary>Refuses weights of another layer.</summary>
    internal void RequireShape<T>(Matrix<T> quantized) where T : unmanaged
    {
        if (quantized.Rows != Inputs || quantized.Columns != Outputs)
        {
            throw new ArgumentException(
                $"The statistics are of a {Inputs}×{Outputs} layer, but the quantized weights are {quantized.Rows}×{quantized.Columns}.",
                nameof(quantized));
        }
    }

    private static Matrix<double> Sum(Matrix<double> a, Matrix<double> b) =>
        new(a.Rows, a.Columns, Combine(a.Data, 1, b.Data, 1));

    private static double[] Combine(double[] a, double weightOfA, double[] b, double weightOfB)
    {
        var result = new double[a.Length];
        for (var i = 0; i < result.Length; i++)
            result[i] = (weightOfA * a[i]) + (weightOfB * b[i]);
        return result;
    }
}
