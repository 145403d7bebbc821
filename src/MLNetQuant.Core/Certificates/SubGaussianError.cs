using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Certificates;

/// <summary>
/// The error of a stochastic path as a sub-Gaussian vector; <see cref="SpfqBound"/> and <see cref="UnifiedBound"/> say
/// what follows.
/// </summary>
/// <remarks>
/// <para>ξ_t = v_t − q_t has mean zero given the past and variance proxy σ_t². The path with S = C⁻¹D⁻¹ strictL(H) gives
/// w̃ − q = Rξ with R = (I + S)⁻¹, so that u = X̃Rξ has proxy matrix Σ = X̃R diag(σ²) RᵀX̃ᵀ. From H = CDS + D + CSᵀD and
/// SR = I − R follows RᵀHR = C(RᵀD + DR) − (2C − 1)RᵀDR, and since R has ones on its diagonal</para>
/// <code>tr Σ = Σ_t σ_t² (H_tt − (2C − 1) Σ_{s>t} H_ss R_st²)</code>
/// <para>Step by step Σ_t = A_tΣ_{t−1}A_t + σ_t²X̃_tX̃_tᵀ, where A_t shrinks the direction x̂ of X̃_t by 1 − 1/C and leaves the
/// others: A_t² = I − ((2C − 1)/C²)x̂x̂ᵀ. By induction ‖Σ‖ ≤ max_t σ_t²H_tt · C²/(2C − 1), for then what a step adds along
/// x̂ is at most what it took away. (Derived here.)</para>
/// </remarks>
/// <param name="statistics">Of the layer.</param>
/// <param name="grid">Its steps δ: δ²/4 of each σ².</param>
/// <param name="scaling">C, from 1.</param>
/// <param name="pruning">What pruning before the rounding adds to each σ².</param>
/// <param name="order">Inputs in the order of the steps; null as they stand.</param>
internal sealed class SubGaussianError(LayerStatistics statistics, Grid grid, double scaling, double pruning, int[]? order)
{
    /// <summary>With a quarter as many rows as inputs the rows cost less than R, though R is blocked.</summary>
    private const int FewRows = 4;

    private readonly double[] _inputEnergy = statistics.InputEnergy();

    /// <summary>tr Σ for each output.</summary>
    internal double[] Traces(int threads) => Weigh(
        statistics.Rows is { } rows && (rows.AreAlone || rows.Count <= rows.Inputs / FewRows) ? EnergiesOnRows(rows) : Energies(threads));

    /// <summary>‖X̃R_t‖² of each input, from H.</summary>
    private double[] Energies(int threads)
    {
        var h = statistics.H;
        var r = new Matrix<double>(h.Rows, h.Rows);
        for (var t = 0; t < h.Rows; t++)
            r[t, t] = 1;
        // Rows and columns of R are in the order of the steps.
        r = PathProblem.Solve(
            r, new(h, MatrixPart.StrictLower, Divisors(), order), Feedback.Value, order: null, new() { Threads = threads });
        var energies = new double[h.Rows];
        for (var s = 0; s < h.Rows; s++)
        {
            var row = r.Row(s);
            var norm = h[Input(s), Input(s)];
            var later = ((2 * scaling) - 1) * norm;
            for (var t = 0; t < s; t++)
                energies[Input(t)] -= later * row[t] * row[t];
            energies[Input(s)] += norm;
        }

        for (var t = 0; t < energies.Length; t++)
            energies[t] = Math.Max(0, energies[t]);
        return energies;
    }

    /// <summary>
    /// The same from few rows, in O(rows²) for each input: ‖A_N⋯A_{t+1}X̃_t‖² is what one rounding error at step t leaves
    /// after all later steps.
    /// </summary>
    private double[] EnergiesOnRows(RetainedRows rows)
    {
        var energies = new double[rows.Inputs];
        var later = new Matrix<double>(rows.Count, rows.Count); // A_N⋯A_{t+1}
        for (var r = 0; r < rows.Count; r++)
            later[r, r] = 1;
        var column = new double[rows.Count];
        for (var step = rows.Inputs - 1; step >= 0; step--)
        {
            var t = Input(step);
            if (_inputEnergy[t] == 0)
                continue;
            for (var r = 0; r < column.Length; r++)
                column[r] = rows.Quantized[(r * rows.Inputs) + t];
            for (var r = 0; r < column.Length; r++)
            {
                var row = later.Row(r);
                var left = Dense.Dot(row, column);
                energies[t] += left * left;
                Dense.AddScaled(-left / (scaling * _inputEnergy[t]), column, row);
            }
        }

        return energies;
    }

    /// <summary>max_t σ_t² H_tt · C²/(2C − 1) for one output: above ‖Σ‖.</summary>
    internal double Largest(int output)
    {
        var largest = 0.0;
        for (var t = 0; t < grid.Inputs; t++)
        {
            var half = ErrorEnergy.HalfStep(grid, t, output);
            largest = Math.Max(largest, ((half * half) + pruning) * _inputEnergy[t]);
        }

        return largest * scaling * scaling / ((2 * scaling) - 1);
    }

    /// <summary>The bound of ‖U‖ for all outputs together, whose draws are independent, with probability 1 − ε.</summary>
    internal double OfLayer(double failureProbability, int threads)
    {
        var traces = Traces(threads);
        double largest = 0, squares = 0;
        for (var i = 0; i < traces.Length; i++)
        {
            var norm = Largest(i);
            largest = Math.Max(largest, norm);
            squares += norm * traces[i];
        }

        var tail = Math.Log(1 / failureProbability);
        return Math.Sqrt(LayerBound.Sum(traces) + (2 * Math.Sqrt(squares * tail)) + (2 * largest * tail));
    }

    /// <summary>For a row x the τ of each output with P(|xᵀ(w̃ − q)| > τ) ≤ ε.</summary>
    internal double[] OfRow(ReadOnlySpan<double> row, double failureProbability)
    {
        if (row.Length != statistics.Inputs)
            throw new ArgumentException($"The row has {row.Length} numbers, but there are {statistics.Inputs} inputs.", nameof(row));
        var h = statistics.H;
        var a = row.ToArray(); // becomes Rᵀx: a_t = x_t − Σ_{s>t} S_st a_s
        for (var s = a.Length - 1; s >= 0; s--)
        {
            var later = Input(s);
            if (h[later, later] == 0)
                continue;
            var factor = a[later] / (scaling * h[later, later]);
            for (var t = 0; t < s; t++)
                a[Input(t)] -= factor * h[later, Input(t)];
        }

        var tail = Math.Sqrt(2 * Math.Log(2 / failureProbability));
        return Array.ConvertAll(Weigh(Array.ConvertAll(a, value => value * value)), proxy => Math.Sqrt(proxy) * tail);
    }

    /// <summary>For each output the τ with P(max over the calibration rows of |X̃(w̃ − q)| > τ) ≤ ε.</summary>
    internal double[] OfLargest(double failureProbability)
    {
        var tail = 2 * Math.Log(2 * (double)statistics.Count / failureProbability);
        var bounds = new double[grid.Outputs];
        for (var i = 0; i < bounds.Length; i++)
            bounds[i] = Math.Sqrt(Largest(i) * tail);
        return bounds;
    }

    /// <summary>Refuses probabilities that are none.</summary>
    internal static void RequireProbability(double failureProbability)
    {
        if (!(failureProbability > 0 && failureProbability < 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(failureProbability), $"The probability of failure is {failureProbability}; it must be above 0 and below 1.");
        }
    }

    /// <summary>Refuses grids of other layers.</summary>
    internal static void RequireGrid(LayerStatistics statistics, Grid grid)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        ArgumentNullException.ThrowIfNull(grid);
        LayerBound.RequireShape(statistics, grid.Inputs, grid.Outputs, "weights of the grid");
    }

    /// <summary>Σ_t σ_t² a_t for each output.</summary>
    private double[] Weigh(double[] energies)
    {
        var sums = ErrorEnergy.OfHalfSteps(grid, energies);
        var pruned = pruning * LayerBound.Sum(energies);
        for (var i = 0; i < sums.Length; i++)
            sums[i] += pruned;
        return sums;
    }

    private double[] Divisors()
    {
        var divisors = GreedyPath.Divisors(statistics.H, damping: 0);
        for (var t = 0; t < divisors.Length; t++)
            divisors[t] *= scaling;
        return divisors;
    }

    private int Input(int step) => order?[step] ?? step;
}
