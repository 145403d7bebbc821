using MLNetQuant.Numerics;

namespace MLNetQuant.Statistics;

/// <content>The sums over rows: H, G and C, and the energies of the outputs.</content>
public sealed partial class LayerStatisticsAccumulator
{
    private const int OutputBuffer = 1 << 23; // floats of XW held at a time

    private void Sum(
        ReadOnlySpan<float> floatRows, ReadOnlySpan<float> quantizedRows, ReadOnlySpan<float> outputs, int rows, bool equal)
    {
        TakeBackSums();

        // H of all rows tells nothing of the energy of the first ones.
        if (!equal || (!outputs.IsEmpty && (_sameRows is null || _summed == 0)))
            SumEnergies();
        if (!equal)
            SeparateStreams();
        if (_sameRows is null)
        {
            _product.AddGram(quantizedRows, rows, _h!);
            if (_g is not null)
                _product.AddTransposedProduct(quantizedRows, floatRows, rows, _g);
        }

        _summed += rows;
        if (_outputEnergy is null)
            return;
        if (outputs.IsEmpty)
            ComputeOutputs(floatRows, quantizedRows, rows);
        else
            AddOutputs(quantizedRows, outputs, rows);
    }

    /// <summary>Statistics keep the sums that they were given.</summary>
    private void TakeBackSums()
    {
        if (!_handedOut)
            return;
        (_h, _g, _c) = (_h!.Clone(), _g?.Clone(), _c?.Clone());
        _handedOut = false;
    }

    /// <summary>From here on the energies of the outputs are sums of their own.</summary>
    private void SumEnergies() => _outputEnergy ??= _summed == 0
        ? new double[_weights.Columns]
        : Energy(_weights, LayerStatistics.CrossProduct(_h!, _weights, _threads));

    /// <summary>From here on X̃ may differ from X: G, or C, is a sum of its own.</summary>
    private void SeparateStreams()
    {
        if (_differ)
            return;
        _differ = true;
        if (_crossGram)
            _g = _sameRows is not null ? _sameRows.G : _summed == 0 ? new(_weights.Rows, _weights.Rows) : _h!.Clone();
        else
            _c = _summed == 0 ? new(_weights.Rows, _weights.Columns) : LayerStatistics.CrossProduct(_h!, _weights, _threads);
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

    private void ComputeOutputs(ReadOnlySpan<float> floatRows, ReadOnlySpan<float> quantizedRows, int rows)
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
            AddOutputs(quantizedRows.Slice(first * n, count * n), outputs, count);
        }
    }

    private void AddOutputs(ReadOnlySpan<float> quantizedRows, ReadOnlySpan<float> outputs, int rows)
    {
        if (_c is not null)
            _product.AddTransposedProduct(quantizedRows, outputs, rows, _c);
        Dense.AddScaled(1, ColumnSums.OfSquares(outputs, _weights.Columns, _threads), _outputEnergy);
    }
}
