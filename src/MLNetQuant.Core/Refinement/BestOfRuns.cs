using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.Refinement;

/// <summary>
/// Of several roundings of one layer the best for each output (per tensor for all outputs together), an earlier one
/// winning ties.
/// </summary>
internal sealed class BestOfRuns
{
    private readonly Matrix<sbyte> _codes;
    private readonly Matrix<float> _scales;
    private readonly Matrix<sbyte> _zeroPoints;
    private readonly double[] _errors;
    private readonly Granularity _granularity;
    private readonly float _threshold;
    private Alphabet _alphabet;
    private int _dampingRaises;

    /// <summary>The first run.</summary>
    /// <param name="run">Its codes on their grid.</param>
    /// <param name="errors">A measure of its error for each output.</param>
    internal BestOfRuns(QuantizedWeights run, double[] errors)
        : this(
            run.Codes.Clone(),
            run.Grid.Scales.Clone(),
            run.Grid.ZeroPoints?.Clone() ?? new(run.Grid.Scales.Rows, run.Grid.Outputs),
            (double[])errors.Clone(),
            run.Grid.Granularity,
            run.Grid.Threshold)
    {
        (_alphabet, _dampingRaises, Clips) = (run.Grid.Alphabet, run.DampingRaises, run.Clipped > 0);
    }

    private BestOfRuns(Matrix<sbyte> codes, Matrix<float> scales, Matrix<sbyte> zeroPoints, double[] errors, Granularity granularity, float threshold) =>
        (_codes, _scales, _zeroPoints, _errors, _granularity, _threshold) = (codes, scales, zeroPoints, errors, granularity, threshold);

    /// <summary>Whether a run that gave something clipped arguments.</summary>
    internal bool Clips { get; private set; }

    /// <summary>Takes the outputs of a run, on the same granularity, that are better than those so far.</summary>
    /// <returns>How many.</returns>
    internal int Offer(QuantizedWeights run, double[] errors)
    {
        _dampingRaises = Math.Max(_dampingRaises, run.DampingRaises);
        var taken = 0;
        var whole = !_granularity.SeparatesOutputs && errors.Sum() < _errors.Sum();
        for (var i = 0; i < errors.Length; i++)
        {
            if (_granularity.SeparatesOutputs ? errors[i] >= _errors[i] : !whole)
                continue;
            taken++;
            _errors[i] = errors[i];
            for (var t = 0; t < _codes.Rows; t++)
                _codes[t, i] = run.Codes[t, i];
            for (var block = 0; block < _scales.Rows; block++)
            {
                _scales[block, i] = run.Grid.Scales[block, i];
                _zeroPoints[block, i] = run.Grid.ZeroPoints?[block, i] ?? 0;
            }
        }

        // Algorithms that widen the alphabet as they need it do so differently in each run.
        if (taken > 0 && run.Grid.Alphabet != _alphabet)
            _alphabet = new(Math.Min(_alphabet.Low, run.Grid.Alphabet.Low), Math.Max(_alphabet.High, run.Grid.Alphabet.High));
        Clips |= taken > 0 && run.Clipped > 0;
        return taken;
    }

    /// <summary>A copy, to which more runs may be offered.</summary>
    internal BestOfRuns Copy() =>
        new(_codes.Clone(), _scales.Clone(), _zeroPoints.Clone(), (double[])_errors.Clone(), _granularity, _threshold)
        {
            _alphabet = _alphabet,
            _dampingRaises = _dampingRaises,
            Clips = Clips,
        };

    /// <summary>What was kept so far.</summary>
    internal QuantizedWeights Weights(long clipped = 0)
    {
        var grid = new Grid(_alphabet, _granularity, _codes.Rows, _scales.Clone(), _zeroPoints.Clone());
        return new(_codes.Clone(), _threshold > 0 ? grid.WithThreshold(_threshold) : grid, clipped) { DampingRaises = _dampingRaises };
    }
}
