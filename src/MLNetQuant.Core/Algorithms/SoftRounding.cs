using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Algorithms;

/// <summary>
/// Weights between their two neighbours on a grid, ŵ = s·(⌊w/s⌋ + h(V)), and the gradient of AdaRound's loss in V.
/// </summary>
internal sealed class SoftRounding
{
    private const double Stretch = 1.2; // ζ − γ: h reaches 0 and 1 at finite V
    private const double Shift = -0.1;  // γ
    private const double Corner = 1e-9; // nearer to 0 or 1, h counts as there and its slope as zero

    private readonly LayerStatistics _statistics;
    private readonly Grid _grid;
    private readonly PackedRows _h;
    private readonly double[,] _steps;   // δ of each block and output
    private readonly double[] _energies; // the unit of each output's loss: the mean of δ²H_tt over its inputs

    internal SoftRounding(LayerProblem problem, Grid grid)
    {
        (_statistics, _grid) = (problem.Statistics, grid);
        _h = new(_statistics.H, MatrixPart.Full);
        Start = new(grid.Inputs, grid.Outputs);
        Lower = new(grid.Inputs, grid.Outputs);
        IsFree = new(grid.Inputs, grid.Outputs);
        _steps = new double[grid.Scales.Rows, grid.Outputs];
        for (var block = 0; block < grid.Scales.Rows; block++)
        {
            for (var i = 0; i < grid.Outputs; i++)
                _steps[block, i] = (double)grid.Scales[block, i] * grid.Alphabet.Stride;
        }

        _energies = new double[grid.Outputs];
        var alphabet = grid.Alphabet;
        for (var t = 0; t < grid.Inputs; t++)
        {
            for (var i = 0; i < grid.Outputs; i++)
            {
                var place = ((problem.Weights[t, i] / (double)grid.Scale(t, i)) + grid.ZeroPoint(t, i) - alphabet.Low) / alphabet.Stride;
                var below = Math.Floor(place);
                Start[t, i] = Inverse(place - below);
                Lower[t, i] = (sbyte)Math.Clamp(alphabet.Low + (below * alphabet.Stride), alphabet.Low, alphabet.High);
                IsFree[t, i] = (byte)(below >= 0 && below < alphabet.Levels - 1 ? 1 : 0);
                _energies[i] += Step(t, i) * Step(t, i) * _statistics.H[t, t] / grid.Inputs;
            }
        }
    }

    /// <summary>V₀, at which ŵ = w.</summary>
    internal Matrix<double> Start { get; }

    /// <summary>The lower neighbour's code; beyond the alphabet the code of its end.</summary>
    internal Matrix<sbyte> Lower { get; }

    /// <summary>1 where there are two neighbours, 0 where an end of the alphabet is all there is.</summary>
    internal Matrix<byte> IsFree { get; }

    /// <summary>The rectified sigmoid h(V) = clip(1.2σ(V) − 0.1, 0, 1).</summary>
    internal static double Rectified(double v) => Math.Clamp((Stretch * Sigmoid(v)) + Shift, 0, 1);

    /// <summary>The V with h(V) = f, for 0 ≤ f ≤ 1: −ln(1.2/(f + 0.1) − 1).</summary>
    internal static double Inverse(double fraction) => -Math.Log((Stretch / (fraction - Shift)) - 1);

    /// <summary>ŵ in fp64.</summary>
    internal Matrix<double> Values(Matrix<double> v, int threads)
    {
        var values = new Matrix<double>(v.Rows, v.Columns);
        Workers.For(v.Rows, threads, t =>
        {
            for (var i = 0; i < v.Columns; i++)
            {
                var part = IsFree[t, i] == 1 ? Rectified(v[t, i]) : 0;
                values[t, i] = ((Lower[t, i] - _grid.ZeroPoint(t, i)) * (double)_grid.Scale(t, i)) + (part * Step(t, i));
            }
        });
        return values;
    }

    /// <summary>The gradient in V of ‖Xw − X̃ŵ‖²/E + λ Σ (1 − |2h(V) − 1|^β) for each output, E being its unit.</summary>
    /// <param name="v">V.</param>
    /// <param name="lambda">λ; zero leaves the second term out.</param>
    /// <param name="beta">β.</param>
    /// <param name="threads">Zero for all processors; the result does not depend on it.</param>
    /// <param name="cancellationToken">Stops between blocks of the product.</param>
    internal Matrix<double> Gradient(Matrix<double> v, double lambda, double beta, int threads, CancellationToken cancellationToken)
    {
        var gradient = DoubleProduct.Multiply(_h, Values(v, threads), threads, cancellationToken);
        Workers.For(v.Rows, threads, t =>
        {
            var row = gradient.Row(t);
            var c = _statistics.C.Row(t);
            for (var i = 0; i < row.Length; i++)
            {
                var sigmoid = Sigmoid(v[t, i]);
                var h = (Stretch * sigmoid) + Shift;
                if (IsFree[t, i] == 0 || h <= Corner || h >= 1 - Corner || !(_energies[i] > 0))
                {
                    row[i] = 0;
                    continue;
                }

                var loss = 2 * (row[i] - c[i]) * Step(t, i) / _energies[i];
                var off = (2 * h) - 1;
                var penalty = lambda == 0 ? 0 : -2 * lambda * beta * Math.Pow(Math.Abs(off), beta - 1) * Math.Sign(off);
                row[i] = (loss + penalty) * Stretch * sigmoid * (1 - sigmoid);
            }
        }, cancellationToken);
        return gradient;
    }

    /// <summary>The codes that V decides for: the upper neighbour where h(V) ≥ ½.</summary>
    internal Matrix<sbyte> Decide(Matrix<double> v)
    {
        var codes = Lower.Clone();
        for (var k = 0; k < codes.Data.Length; k++)
        {
            if (IsFree.Data[k] == 1 && v.Data[k] >= 0)
                codes.Data[k] += (sbyte)_grid.Alphabet.Stride;
        }

        return codes;
    }

    private static double Sigmoid(double v) => 1 / (1 + Math.Exp(-v));

    private double Step(int input, int output) => _steps[input / _grid.BlockSize, output];
}
