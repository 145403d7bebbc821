using MLNetQuant.Numerics;

namespace MLNetQuant.Algorithms;

/// <summary>How much of its mean error a neuron's bias takes up. Of equal ones the first wins.</summary>
public enum BiasChoice
{
    /// <summary>The mean error over all rows: <see cref="BiasCorrection.Shift"/>.</summary>
    Full,

    /// <summary>Half of it.</summary>
    Half,

    /// <summary>Nothing.</summary>
    None,

    /// <summary>The mean error over the rows on which the float neuron is active.</summary>
    ActiveMean,

    /// <summary>Half of that.</summary>
    HalfActiveMean,
}

/// <summary>Changes of a layer's bias that were chosen by the error after its activation.</summary>
/// <param name="Shift">What to add to XW, one number per output.</param>
/// <param name="Choices">What was chosen for each output.</param>
/// <param name="Error">Σ (a(y) − a(ŷ + shift))² over the rows and outputs, a being the activation.</param>
public sealed record GuardedShift(double[] Shift, BiasChoice[] Choices, double Error);

/// <summary>Chooses the change of each bias by the error after an activation that clips, such as ReLU.</summary>
/// <remarks>
/// Where a neuron is active on few rows, the mean error over all rows says little of the rows that count, and a bias that
/// makes it zero may raise the error after the activation several times over. So each neuron takes, of
/// <see cref="BiasChoice"/>, what leaves the least error after its activation on the rows given here.
/// </remarks>
public static class BiasGuard
{
    /// <summary>The choices.</summary>
    /// <param name="expected">XW, rows × outputs.</param>
    /// <param name="actual">X̃Q, rows × outputs.</param>
    /// <param name="full">The mean error over all calibration rows, of each output.</param>
    /// <param name="low">What the activation raises smaller values of XW to, for each output; −∞ for nothing.</param>
    /// <param name="high">What it lowers greater values to; +∞ for nothing.</param>
    /// <exception cref="ArgumentException">Shapes that do not agree.</exception>
    public static GuardedShift Choose(
        Matrix<float> expected, Matrix<float> actual, double[] full, double[] low, double[] high)
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(actual);
        ArgumentNullException.ThrowIfNull(full);
        ArgumentNullException.ThrowIfNull(low);
        ArgumentNullException.ThrowIfNull(high);
        var outputs = expected.Columns;
        if (actual.Rows != expected.Rows || actual.Columns != outputs)
            throw new ArgumentException($"XW is {expected.Rows}×{outputs}, so X̃Q must be as well, not {actual.Rows}×{actual.Columns}.", nameof(actual));
        if (full.Length != outputs || low.Length != outputs || high.Length != outputs)
            throw new ArgumentException($"There are {outputs} outputs, but {full.Length} mean errors, {low.Length} lower and {high.Length} upper ends.", nameof(full));

        var active = ActiveMeans(expected, actual, low, high);
        double[][] candidates = [full, Half(full), new double[outputs], active, Half(active)];
        var errors = Array.ConvertAll(candidates, _ => new double[outputs]);
        for (var row = 0; row < expected.Rows; row++)
        {
            var y = expected.Row(row);
            var q = actual.Row(row);
            for (var i = 0; i < outputs; i++)
            {
                var target = Math.Min(high[i], Math.Max(low[i], y[i]));
                for (var c = 0; c < candidates.Length; c++)
                {
                    var error = target - Math.Min(high[i], Math.Max(low[i], q[i] + candidates[c][i]));
                    errors[c][i] += error * error;
                }
            }
        }

        var (shift, choices, total) = (new double[outputs], new BiasChoice[outputs], 0.0);
        for (var i = 0; i < outputs; i++)
        {
            var best = 0;
            for (var c = 1; c < candidates.Length; c++)
                best = errors[c][i] < errors[best][i] ? c : best;
            (shift[i], choices[i]) = (candidates[best][i], (BiasChoice)best);
            total += errors[best][i];
        }

        return new(shift, choices, total);
    }

    /// <summary>The mean of XW − X̃Q over the rows where XW lies between the ends; zero where there are none.</summary>
    private static double[] ActiveMeans(Matrix<float> expected, Matrix<float> actual, double[] low, double[] high)
    {
        var (sums, counts) = (new double[low.Length], new int[low.Length]);
        for (var row = 0; row < expected.Rows; row++)
        {
            var y = expected.Row(row);
            var q = actual.Row(row);
            for (var i = 0; i < sums.Length; i++)
            {
                if (y[i] <= low[i] || y[i] >= high[i])
                    continue;
                sums[i] += (double)y[i] - q[i];
                counts[i]++;
            }
        }

        for (var i = 0; i < sums.Length; i++)
            sums[i] = counts[i] == 0 ? 0 : sums[i] / counts[i];
        return sums;
    }

    private static double[] Half(double[] values) => Array.ConvertAll(values, v => v / 2);
}
