using System.Numerics;
using System.Runtime.InteropServices;
using MLNetQuant.Numerics;

namespace MLNetQuant.Statistics;

/// <summary>
/// Gathers <see cref="LayerStatistics"/> from calibration rows, batch by batch. Not for use by several threads at
/// once; the products inside run in parallel.
/// </summary>
/// <remarks>
/// Rows are kept as they are while they are fewer than the inputs; H and the rest are then formed when an algorithm
/// asks for them. With more rows, while X̃ = X only H is gathered: C = HW and the energy of an output, wᵀHw, follow at the end in fp64. Otherwise
/// XW is computed for its energy, and C is GW where G is kept, else X̃ᵀ(XW). Where G is kept and there are no more
/// inputs than outputs, XᵀX takes the place of XW: it is symmetric, which halves its cost.
/// </remarks>
public sealed class LayerStatisticsAccumulator
{
    /// <summary>Largest size of a calibration value: sums of 4096 larger squares overflow single precision.</summary>
    internal const float LargestValue = 1e17f;

    private const int OutputBuffer = 1 << 23; // floats of XW held at a time

    private readonly Matrix<float> _weights;
    private readonly bool _crossGram;
    private readonly IMatrixProduct _product;
    private readonly int _threads;
    private Matrix<double>? _h;  // once there are as many rows as inputs
    private readonly double[] _floatSum;
    private readonly double[] _quantizedSum;
    private Matrix<double>? _g;  // once the streams have differed, and only if asked for
    private Matrix<double>? _c;  // once the streams have differed, and only if G is not kept
    private Matrix<double>? _f;  // XᵀX, once the streams have differed, where it costs less than XW
    private double[]? _outputEnergy; // once the streams have differed; not summed where XᵀX is
    private float[] _outputs = [];
    private KeptRows? _kept = new();
    private bool _summed;
    private long _count;

    /// <summary>An accumulator without rows.</summary>
    /// <param name="weights">W, inputs × outputs, finite.</param>
    /// <param name="crossGram">Whether to keep G = X̃ᵀX, which GPFQ and SPFQ need.</param>
    /// <param name="product">The engine for the products over rows.</param>
    /// <param name="threads">For the fp64 products at the end; zero for all processors.</param>
    public LayerStatisticsAccumulator(Matrix<float> weights, bool crossGram, IMatrixProduct product, int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(product);
        if (weights.Rows < 1 || weights.Columns < 1)
            throw new ArgumentException($"A layer has at least one input and one output, but its weights are {weights.Rows}×{weights.Columns}.", nameof(weights));
        _weights = weights;
        _crossGram = crossGram;
        _product = product;
        _threads = Workers.Checked(threads);
        _floatSum = new double[weights.Rows];
        _quantizedSum = new double[weights.Rows];
    }

    /// <summary>Rows added so far.</summary>
    public long Count => _count;

    /// <summary>Adds rows of both streams.</summary>
    /// <param name="floatRows">Rows of X: rows × inputs.</param>
    /// <param name="quantizedRows">The same rows of X̃.</param>
    /// <param name="rows">Number of rows.</param>
    /// <exception cref="ArgumentException">A span of another length than rows × inputs.</exception>
    /// <exception cref="NonFiniteInputException">A value that is not finite; nothing has been added then.</exception>
    public void Add(ReadOnlySpan<float> floatRows, ReadOnlySpan<float> quantizedRows, int rows)
    {
        RequireLength(floatRows, rows, nameof(floatRows));
        RequireLength(quantizedRows, rows, nameof(quantizedRows));
        RequireFinite(floatRows);
        RequireFinite(quantizedRows);
        if (rows > 0)
            Gather(floatRows, quantizedRows, rows, equal: false);
    }

    /// <summary>Adds rows that are the same in both streams, as before the first quantized layer.</summary>
    /// <param name="rows">Rows of X = X̃: count × inputs.</param>
    /// <param name="count">Number of rows.</param>
    /// <exception cref="ArgumentException">A span of another length than count × inputs.</exception>
    /// <exception cref="NonFiniteInputException">A value that is not finite; nothing has been added then.</exception>
    public void Add(ReadOnlySpan<float> rows, int count)
    {
        RequireLength(rows, count, nameof(rows));
        RequireFinite(rows);
        if (count > 0)
            Gather(rows, rows, count, equal: true);
    }

    /// <summary>The statistics of all rows so far; more rows may follow.</summary>
    /// <exception cref="InvalidOperationException">No rows, or numbers so large that a sum overflowed.</exception>
    public LayerStatistics ToStatistics()
    {
        if (_count == 0)
            throw new InvalidOperationException("No calibration rows have been added; statistics need at least one.");
        if (_kept is not null)
            return OfKeptRows(_kept);
        var h = _h!.Clone();
        var (inputMean, floatMean, outputMean) = Means();
        if (_g is not null)
        {
            return new(_count, h, _g.Clone(), _weights, inputMean, outputMean, EnergyOfDifferentStreams(), _threads)
            {
                FloatInputMean = floatMean,
            };
        }

        var c = _c?.Clone() ?? DoubleProduct.Multiply(new PackedRows(h, MatrixPart.Full), _weights, _threads);
        var energy = (double[]?)_outputEnergy?.Clone() ?? Energy(_weights, c);
        return new(_count, h, _crossGram ? h : null, c, inputMean, outputMean, RequireFinite(energy)) { FloatInputMean = floatMean };
    }

    private Lazy<double[]> EnergyOfDifferentStreams()
    {
        if (_f is null)
            return new(RequireFinite((double[])_outputEnergy!.Clone()));
        var (f, weights, threads) = (_f.Clone(), _weights, _threads);
        var energy = new Lazy<double[]>(
            () => Energy(weights, DoubleProduct.Multiply(new PackedRows(f, MatrixPart.Full), weights, threads)));
        // No output is larger than ‖X‖_F ‖w‖. Only where that might leave single precision need the energies be looked at.
        double rows = 0, widest = 0;
        for (var t = 0; t < f.Rows; t++)
            rows += f[t, t];
        foreach (var weight in weights.Data)
            widest = Math.Max(widest, Math.Abs(weight));
        const double Largest = float.MaxValue;
        if (!(Math.Sqrt(rows * f.Rows) * widest < Largest))
            RequireFinite(Array.ConvertAll(energy.Value, e => e < Largest * Largest ? e : double.PositiveInfinity));
        return energy;
    }

    private LayerStatistics OfKeptRows(KeptRows kept)
    {
        int m = _weights.Columns, rows = (int)_count;
        var (x, quantized) = kept.ToArrays();
        var outputs = new float[checked(rows * m)];
        _product.Multiply(x, _weights.Data, rows, _weights.Rows, m, outputs);
        var energy = new double[m];
        for (var i = 0; i < outputs.Length; i += m)
            WideSums.AddSquares(outputs.AsSpan(i, m), energy);
        var (inputMean, floatMean, outputMean) = Means();
        return new(new(rows, x, quantized, outputs), _crossGram, inputMean, outputMean, RequireFinite(energy), _threads)
        {
            FloatInputMean = floatMean,
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
    private void Gather(ReadOnlySpan<float> floatRows, ReadOnlySpan<float> quantizedRows, int rows, bool equal)
    {
        AddColumnSums(floatRows, _floatSum);
        AddColumnSums(quantizedRows, _quantizedSum);
        if (_kept is not null)
        {
            if (_count + rows < _weights.Rows)
            {
                _kept.Add(floatRows, quantizedRows, equal);
                _count += rows;
                return;
            }

            var (x, quantized) = _kept.ToArrays();
            _kept = null;
            _h = new(_weights.Rows, _weights.Rows);
            if (_count > 0)
                Sum(x, quantized, (int)_count, ReferenceEquals(x, quantized));
        }

        Sum(floatRows, quantizedRows, rows, equal);
        _count += rows;
    }

    private void Sum(ReadOnlySpan<float> floatRows, ReadOnlySpan<float> quantizedRows, int rows, bool equal)
    {
        if (!equal)
            SeparateStreams();
        _product.AddGram(quantizedRows, rows, _h!);
        _summed = true;
        if (_outputEnergy is null)
            return;
        if (_g is not null)
            _product.AddTransposedProduct(quantizedRows, floatRows, rows, _g);
        if (_f is not null)
            _product.AddGram(floatRows, rows, _f);
        else
            AddOutputs(floatRows, quantizedRows, rows);
    }

    /// <summary>From here on X̃ may differ from X: what followed from H alone becomes sums of its own.</summary>
    private void SeparateStreams()
    {
        if (_outputEnergy is not null)
            return;
        int n = _weights.Rows, m = _weights.Columns;
        if (_crossGram)
            _g = _summed ? _h!.Clone() : new(n, n);
        if (_crossGram && n <= m)
            _f = _summed ? _h!.Clone() : new(n, n);
        _outputEnergy = new double[m];
        if (!_summed || _f is not null)
        {
            _c = _crossGram ? null : new(n, m);
            return;
        }

        var c = DoubleProduct.Multiply(new PackedRows(_h!, MatrixPart.Full), _weights, _threads);
        _outputEnergy = Energy(_weights, c);
        _c = _crossGram ? null : c;
    }

    /// <summary>wᵀHw for each output, given C = HW.</summary>
    private static double[] Energy(Matrix<float> w, Matrix<double> c)
    {
        var energy = new double[c.Columns];
        for (var input = 0; input < c.Rows; input++)
        {
            var weights = w.Row(input);
            var row = c.Row(input);
            for (var output = 0; output < energy.Length; output++)
                energy[output] += weights[output] * row[output];
        }

        for (var output = 0; output < energy.Length; output++)
            energy[output] = Math.Max(0, energy[output]);
        return energy;
    }

    private void AddOutputs(ReadOnlySpan<float> floatRows, ReadOnlySpan<float> quantizedRows, int rows)
    {
        int n = _weights.Rows, m = _weights.Columns;
        var chunk = Math.Min(rows, Math.Clamp(OutputBuffer / m, 64, 4096));
        if (_outputs.Length < chunk * m)
            _outputs = new float[chunk * m];
        for (var first = 0; first < rows; first += chunk)
        {
            var count = Math.Min(chunk, rows - first);
            var outputs = _outputs.AsSpan(0, count * m);
            _product.Multiply(floatRows.Slice(first * n, count * n), _weights.Data, count, n, m, outputs);
            if (_c is not null)
                _product.AddTransposedProduct(quantizedRows.Slice(first * n, count * n), outputs, count, _c);
            for (var i = 0; i < outputs.Length; i += m)
                WideSums.AddSquares(outputs.Slice(i, m), _outputEnergy);
        }
    }

    private static void AddColumnSums(ReadOnlySpan<float> rows, double[] sums)
    {
        for (var i = 0; i < rows.Length; i += sums.Length)
            WideSums.Add(rows.Slice(i, sums.Length), sums);
    }

    private void RequireLength(ReadOnlySpan<float> values, int rows, string name)
    {
        if (rows < 0 || values.Length != (long)rows * _weights.Rows)
        {
            throw new ArgumentException(
                $"{rows} rows of a layer with {_weights.Rows} inputs are {(long)rows * _weights.Rows} numbers, but {values.Length} were given.", name);
        }
    }

    private void RequireFinite(ReadOnlySpan<float> values)
    {
        var limit = new Vector<float>(LargestValue);
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        var start = 0;
        while (start < vectors.Length && Vector.LessThanOrEqualAll(Vector.Abs(vectors[start]), limit))
            start++;
        for (var i = start * Vector<float>.Count; i < values.Length; i++)
        {
            if (!(Math.Abs(values[i]) <= LargestValue))
                throw new NonFiniteInputException(_count + (i / _weights.Rows), i % _weights.Rows, values[i]);
        }
    }
}
