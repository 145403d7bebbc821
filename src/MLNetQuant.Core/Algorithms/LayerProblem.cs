using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Algorithms;

/// <summary>One matrix problem: find Q on a grid such that X̃Q is close to XW.</summary>
/// <param name="Weights">W, inputs × outputs (input-major).</param>
/// <param name="Statistics">Statistics of the calibration rows of the same layer.</param>
/// <exception cref="ArgumentException">Statistics of another shape than the weights.</exception>
public sealed record LayerProblem(Matrix<float> Weights, LayerStatistics Statistics)
{
    /// <summary>W, inputs × outputs (input-major).</summary>
    public Matrix<float> Weights { get; } = Weights ?? throw new ArgumentNullException(nameof(Weights));

    /// <summary>Statistics of the calibration rows of the same layer.</summary>
    public LayerStatistics Statistics { get; } = Matching(Weights, Statistics);

    /// <summary>
    /// Statistics of rows held back to judge by, which are not in <see cref="Statistics"/>; null where there are none.
    /// Algorithms that do not judge pass them over.
    /// </summary>
    /// <exception cref="ArgumentException">Statistics of another shape than the weights.</exception>
    public LayerStatistics? HeldBack
    {
        get;
        init => field = value is null ? null : Matching(Weights, value);
    }

    /// <summary>The weights in fp64, their inputs in this order; null as they stand.</summary>
    internal Matrix<double> WideWeights(int[]? order = null)
    {
        var wide = new Matrix<double>(Weights.Rows, Weights.Columns);
        for (var t = 0; t < wide.Rows; t++)
            WideSums.Widen(Weights.Row(order?[t] ?? t), wide.Row(t));

        return wide;
    }

    private static LayerStatistics Matching(Matrix<float> weights, LayerStatistics statistics)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        return statistics.Inputs == weights.Rows && statistics.Outputs == weights.Columns
            ? statistics
            : throw new ArgumentException(
                $"The statistics are of a {statistics.Inputs}×{statistics.Outputs} layer, but the weights are {weights.Rows}×{weights.Columns}.",
                nameof(statistics));
    }
}
