using MLNetQuant.Numerics;

namespace MLNetQuant.Statistics;

/// <summary>
/// Gathers <see cref="LayerStatistics"/> from calibration rows, batch by batch. Not for use by several threads at
/// once; the products inside run in parallel.
/// </summary>
/// <remarks>
/// Rows are kept as they are while they are fewer than the inputs; H and the rest are then formed when an algorithm
/// asks for them. With more rows H is gathered, and G if asked for; while X̃ = X that is H. Where there is a G, C is
/// GW in fp64, formed when it is asked for; else it is the sum of X̃ᵀ(XW). Whoever has the layer's outputs XW spares
/// their product: it is computed only where they are not given, except that while X̃ = X their energy wᵀHw follows
/// from H.
/// Where H could not be held, all rows are kept. Layers that read the same rows share one H and one G.
/// </remarks>
public sealed partial class LayerStatisticsAccumulator
{
    /// <summary>Largest size of a calibration value: sums of 4096 larger squares overflow single precision.</summary>
    internal const float LargestValue = 1e17f;

    private readonly Matrix<float> _weights;
    private readonly bool _crossGram;
    private readonly bool _rowsAlone;
    private readonly LayerStatistics? _sameRows; // where H and G come from, if they are not summed here
    private readonly IMatrixProduct _product;
    private readonly int _threads;
    private readonly double[] _floatSum;
    private readonly double[] _quantizedSum;
    private Matrix<double>? _h;      // once there are as many rows as inputs
    private Matrix<double>? _g;      // once the streams have differed, and only if asked for
    private Matrix<double>? _c;      // once the streams have differed, and only if G is not kept
    private double[]? _outputEnergy; // null while it follows from H
    private float[] _outputs = [];
    private KeptRows? _kept = new();
    private bool _differ;            // whether some summed rows are not the same in both streams
    private bool _handedOut;         // whether statistics hold the sums, so that more rows need copies
    private long _summed;
    private long _count;

    /// <summary>An accumulator without rows.</summary>
    /// <param name="weights">W, inputs × outputs, finite.</param>
    /// <param name="crossGram">Whether to keep G = X̃ᵀX, which GPFQ and SPFQ need.</param>
    /// <param name="product">The engine for the products over rows.</param>
    /// <param name="threads">For everything else; zero for all processors.</param>
    /// <param name="rowsAlone">Whether to keep all rows as they are, however many, and nothing of inputs × inputs.</param>
    /// <param name="sameRows">
    /// Statistics of another layer, of the very rows that will be added here: H and G are theirs instead of being summed once
    /// more. <see langword="null"/> for none.
    /// </param>
    /// <exception cref="ArgumentException">Weights without inputs or outputs, or <paramref name="sameRows"/> of another number of inputs.</exception>
    public LayerStatisticsAccumulator(
        Matrix<float> weights, bool crossGram, IMatrixProduct product, int threads = 0, bool rowsAlone = false, LayerStatistics? sameRows = null)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(product);
        if (weights.Rows < 1 || weights.Columns < 1)
            throw new ArgumentException($"A layer has at least one input and one output, but its weights are {weights.Rows}×{weights.Columns}.", nameof(weights));
        if (sameRows is not null && sameRows.Inputs != weights.Rows)
            throw new ArgumentException($"The same rows have {sameRows.Inputs} inputs in the other layer, and {weights.Rows} in this one.", nameof(sameRows));
        _weights = weights;
        _crossGram = crossGram;
        _rowsAlone = rowsAlone;

        // Where rows are kept, H and G are formed from them when they are asked for.
        if (sameRows is { Rows: null } && (sameRows.IsOneStream || sameRows.HasCrossGram || !crossGram))
            _sameRows = sameRows;
        _product = product;
        _threads = Workers.Checked(threads);
        _floatSum = new double[weights.Rows];
        _quantizedSum = new double[weights.Rows];
    }

    /// <summary>Rows added so far.</summary>
    public long Count => _count;

    /// <summary>Adds rows of both streams.</summary>
    /// <param name="floatRows">Rows of X: rows × inputs.</param>
    /// <param name="quantizedRows">The same rows of X̃; the same memory where they are the same.</param>
    /// <param name="rows">Number of rows.</param>
    /// <exception cref="ArgumentException">A span of another length than rows × inputs.</exception>
    /// <exception cref="NonFiniteInputException">A value that is not finite; nothing has been added then.</exception>
    public void Add(ReadOnlySpan<float> floatRows, ReadOnlySpan<float> quantizedRows, int rows)
    {
        RequireLength(floatRows, rows, nameof(floatRows));
        RequireLength(quantizedRows, rows, nameof(quantizedRows));
        Gather(floatRows, quantizedRows, [], rows);
    }

    /// <summary>Adds rows of both streams whose float outputs are known, which spares the product XW.</summary>
    /// <param name="floatRows">Rows of X: rows × inputs.</param>
    /// <param name="quantizedRows">The same rows of X̃; the same memory where they are the same.</param>
    /// <param name="outputs">The same rows of XW, without bias: rows × outputs.</param>
    /// <param name="rows">Number of rows.</param>
    /// <exception cref="ArgumentException">A span of another length than rows × inputs, or rows × outputs.</exception>
    /// <exception cref="NonFiniteInputException">An input that is not finite; nothing has been added then.</exception>
    public void Add(ReadOnlySpan<float> floatRows, ReadOnlySpan<float> quantizedRows, ReadOnlySpan<float> outputs, int rows)
    {
        RequireLength(floatRows, rows, nameof(floatRows));
        RequireLength(quantizedRows, rows, nameof(quantizedRows));
        if (outputs.Length != (long)rows * _weights.Columns)
        {
            throw new ArgumentException(
                $"{rows} rows of a layer with {_weights.Columns} outputs are {(long)rows * _weights.Columns} numbers, but {outputs.Length} were given.",
                nameof(outputs));
        }

        Gather(floatRows, quantizedRows, outputs, rows);
    }

    /// <summary>Adds rows that are the same in both streams, as before the first quantized layer.</summary>
    /// <param name="rows">Rows of X = X̃: count × inputs.</param>
    /// <param name="count">Number of rows.</param>
    /// <exception cref="ArgumentException">A span of another length than count × inputs.</exception>
    /// <exception cref="NonFiniteInputException">A value that is not finite; nothing has been added then.</exception>
    public void Add(ReadOnlySpan<float> rows, int count)
    {
        RequireLength(rows, count, nameof(rows));
        Gather(rows, rows, [], count);
    }

    /// <summary>The statistics of all rows so far; more rows may follow.</summary>
    /// <exception cref="InvalidOperationException">No rows, numbers so large that a sum overflowed, or not as many rows as those
    /// whose H and G are shared.</exception>
    public LayerStatistics ToStatistics()
    {
        if (_count == 0)
            throw new InvalidOperationException("No calibration rows have been added; statistics need at least one.");
        if (_kept is not null)
            return OfKeptRows(_kept);
        if (_sameRows is not null && _sameRows.Count != _count)
            throw new InvalidOperationException($"H and G are those of {_sameRows.Count} rows, and {_count} have been added; add the same rows.");
        _handedOut = true;
        var (inputMean, floatMean, outputMean) = Means();
        var (weights, threads) = (_weights, _threads);
        var h = new Lazy<Matrix<double>>(_h!);
        var g = !_crossGram ? null : _g is null ? h : new(_g);
        var cross = (_differ ? _g : _h)!; // null only where C is summed
        var c = _c is null ? new Lazy<Matrix<double>>(() => LayerStatistics.CrossProduct(cross, weights, threads)) : new(_c);
        var energy = _outputEnergy is null
            ? new Lazy<double[]>(() => Energy(weights, c.Value))
            : new(RequireFinite([.. _outputEnergy]));
        return new(_count, h, g, c, inputMean, outputMean, energy)
        {
            FloatInputMean = floatMean,
            Weights = weights,
            IsOneStream = !_differ,
            Threads = threads,
        };
    }

    private LayerStatistics OfKeptRows(KeptRows kept)
    {
        int m = _weights.Columns, rows = (int)_count;
        var (x, quantized, outputs) = kept.ToArrays();
        if (outputs is null)
        {
            outputs = new float[checked(rows * m)];
            _product.Multiply(x, _weights.Data, rows, _weights.Rows, m, outputs);
        }

        var energy = ColumnSums.OfSquares(outputs, m, _threads);
        var (inputMean, floatMean, outputMean) = Means();
        return new(new(rows, x, quantized, outputs) { AreAlone = _rowsAlone }, _crossGram, inputMean, outputMean, RequireFinite(energy), _threads)
        {
            FloatInputMean = floatMean,
            Weights = _weights,
        };
    }

    private static double[] RequireFinite(double[] energy)
    {
        foreach (var value in energy)
        {
            if (!double.IsFinite(value))
                throw new InvalidOperationException("The outputs of the layer on the calibration rows leave single precision; scale the calibration values down.");
        }

        return energy;
    }

    /// <summary>Mean rows of X̃, of X and of XW.</summary>
    private (double[] Input, double[] Float, double[] Output) Means()
    {
        var inputMean = new double[_weights.Rows];
        var floatMean = new Matrix<double>(1, _weights.Rows);
        for (var i = 0; i < inputMean.Length; i++)
            (inputMean[i], floatMean[0, i]) = (_quantizedSum[i] / _count, _floatSum[i] / _count);
        return (inputMean, floatMean.Data, DoubleProduct.Multiply(new PackedRows(floatMean, MatrixPart.Full), _weights, _threads).Data);
    }

    /// <summary>Keeps rows while they are fewer than the inputs; from then on they enter the sums.</summary>
    /// <param name="floatRows">Rows of X.</param>
    /// <param name="quantizedRows">Rows of X̃.</param>
    /// <param name="outputs">Rows of XW; empty where they are not known.</param>
    /// <param name="rows">Their number.</param>
    private void Gather(ReadOnlySpan<float> floatRows, ReadOnlySpan<float> quantizedRows, ReadOnlySpan<float> outputs, int rows)
    {
        var equal = _sameRows?.IsOneStream ?? floatRows == quantizedRows;
        var floatSum = BoundedSums(floatRows);
        var quantizedSum = equal ? floatSum : BoundedSums(quantizedRows);
        Dense.AddScaled(1, floatSum, _floatSum);
        Dense.AddScaled(1, quantizedSum, _quantizedSum);
        if (rows == 0)
            return;
        if (_kept is not null)
        {
            if (_rowsAlone || _count + rows < _weights.Rows)
            {
                _kept.Add(floatRows, quantizedRows, outputs, equal);
                _count += rows;
                return;
            }

            var (x, quantized, known) = _kept.ToArrays();
            _kept = null;
            _h = _sameRows?.H ?? new(_weights.Rows, _weights.Rows);
            if (_count > 0)
                Sum(x, quantized, known, (int)_count, ReferenceEquals(x, quantized));
        }

        Sum(floatRows, quantizedRows, outputs, rows, equal);
        _count += rows;
    }

    private void RequireLength(ReadOnlySpan<float> values, int rows, string name)
    {
        if (rows < 0 || values.Length != (long)rows * _weights.Rows)
        {
            throw new ArgumentException(
                $"{rows} rows of a layer with {_weights.Rows} inputs are {(long)rows * _weights.Rows} numbers, but {values.Length} were given.", name);
        }
    }

    /// <summary>Sums of the columns, or the place of a value that is not finite.</summary>
    private double[] BoundedSums(ReadOnlySpan<float> values)
    {
        if (ColumnSums.OfBounded(values, _weights.Rows, LargestValue, _threads) is { } sums)
            return sums;
        var i = 0;
        while (Math.Abs(values[i]) <= LargestValue)
            i++;
        throw new NonFiniteInputException(_count + (i / _weights.Rows), i % _weights.Rows, values[i]);
    }
}
