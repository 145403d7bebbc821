using System.Numerics;
using MLNetQuant.Numerics;

namespace MLNetQuant.Grids;

/// <summary>
/// How a grid is made from weights. An algorithm receives the recipe rather than a finished grid, because it may
/// round other weights than it was given (SPFQ of order above 1 rounds the aligned ones).
/// </summary>
/// <param name="Alphabet">The codes.</param>
/// <param name="Granularity">Which weights share a scale.</param>
/// <param name="ScaleRule">How the scale follows from those weights.</param>
public sealed record GridRecipe(Alphabet Alphabet, Granularity Granularity, ScaleRule ScaleRule)
{
    /// <summary>Whether grids have zero points, and how they are chosen. Default none: symmetric grids.</summary>
    public ZeroPointRule ZeroPoint { get; init; } = ZeroPointRule.None;

    /// <summary>Percent of the weights that <see cref="ScaleRule.Percentile"/> does not clip, above 0 and up to 100, by
    /// linear interpolation between sorted weights; with a zero point the rest is clipped in equal parts at both ends.
    /// Default 99.9.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A percentile outside this range.</exception>
    public double Percentile
    {
        get;
        init => field = value is > 0 and <= 100
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"The percentile of a scale is {value}; it must be above 0 and at most 100.");
    } = 99.9;

    /// <summary>p of Σ|rounded − weight|^p in <see cref="ScaleRule.Mse"/> and <see cref="ScaleRule.WeightedMse"/>, from
    /// 0.5 to 8. Default 2.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An exponent outside this range.</exception>
    public double ErrorExponent
    {
        get;
        init => field = value is >= 0.5 and <= 8
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"The exponent of the rounding error is {value}; it must be from 0.5 to 8.");
    } = 2;

    /// <summary>Multiplies every fitted scale; zero points stay. A search over steps varies it. Positive; default 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A factor that is not positive and finite.</exception>
    public double ScaleFactor
    {
        get;
        init => field = value > 0 && double.IsFinite(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"The factor of the scales is {value}; it must be positive and finite.");
    } = 1;

    /// <summary>Whether code 0 is the zero point of every grid.</summary>
    internal bool IsSymmetric => ZeroPoint is ZeroPointRule.None or ZeroPointRule.Automatic;

    /// <summary>The grid of a recipe that always answers the same one, as it is.</summary>
    internal Grid? FixedGrid { get; private init; }

    /// <summary>Whether <see cref="Fit(Matrix{float}, int)"/> always answers the same grid.</summary>
    internal bool IsFixed => FixedGrid is not null;

    /// <summary>A recipe that always answers this grid, for weights of its shape.</summary>
    /// <exception cref="ArgumentException">A grid with a threshold, which is what hard thresholding gives its results.</exception>
    public static GridRecipe Fixed(Grid grid)
    {
        ArgumentNullException.ThrowIfNull(grid);
        grid.RequireNoThreshold("A fixed recipe");
        return new(grid.Alphabet, grid.Granularity, ScaleRule.AbsMax) { FixedGrid = grid };
    }

    /// <summary>The grid for these weights, all inputs being equally important.</summary>
    /// <param name="weights">Inputs × outputs, all finite.</param>
    /// <param name="threads">Zero for all processors; the grid does not depend on it.</param>
    /// <exception cref="ArgumentException">A weight that is not finite, no weights, or weights of another shape than
    /// the fixed grid.</exception>
    public Grid Fit(Matrix<float> weights, int threads = 0) => Fit(weights, inputEnergy: null, threads);

    /// <summary>
    /// The grid for these weights. Where all weights of a group are zero, its scale is 1; under a binary alphabet
    /// without zero point it is the smallest normal number.
    /// </summary>
    /// <param name="weights">Inputs × outputs, all finite.</param>
    /// <param name="inputEnergy">The diagonal of H, one per input, for <see cref="ScaleRule.WeightedMse"/>; null for
    /// equal inputs. Only ratios matter.</param>
    /// <param name="threads">Zero for all processors; the grid does not depend on it.</param>
    /// <exception cref="ArgumentException">A weight that is not finite, no weights, weights of another shape than
    /// the fixed grid, or energies that are not one number of 0 or more for each input.</exception>
    public Grid Fit(Matrix<float> weights, double[]? inputEnergy, int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(weights);
        Workers.Checked(threads);
        if (weights.Rows < 1 || weights.Columns < 1)
            throw new ArgumentException($"A grid cannot be fitted to {weights.Rows}×{weights.Columns} weights: there are none.", nameof(weights));
        if (FixedGrid is { } grid)
        {
            return grid.Inputs == weights.Rows && grid.Outputs == weights.Columns
                ? grid
                : throw new ArgumentException(
                    $"The fixed grid is for {grid.Inputs}×{grid.Outputs} weights, but these are {weights.Rows}×{weights.Columns}.", nameof(weights));
        }

        if (Granularity is null)
            throw new InvalidOperationException("The grid recipe has no granularity; give it one, such as Granularity.PerChannel.");
        if (!Enum.IsDefined(ScaleRule))
            throw new InvalidOperationException($"There is no scale rule {(int)ScaleRule}; use AbsMax, Mse, WeightedMse or Percentile.");
        if (!Enum.IsDefined(ZeroPoint))
            throw new InvalidOperationException($"There is no zero point rule {(int)ZeroPoint}; use None, Range, HalfQuadratic, LeastError or Automatic.");
        RequireFinite(weights);
        if (inputEnergy is not null)
            RequireEnergy(inputEnergy, weights.Rows);
        return ScaleFit.Fit(this, weights, ScaleRule == ScaleRule.WeightedMse ? inputEnergy : null, threads);
    }

    private static void RequireFinite(Matrix<float> weights)
    {
        for (var input = 0; input < weights.Rows; input++)
        {
            var row = weights.Row(input);
            var output = 0;
            while (output <= row.Length - Vector<float>.Count
                && Vector.LessThanAll(Vector.Abs(new Vector<float>(row[output..])), Vector.Create(float.PositiveInfinity)))
            {
                output += Vector<float>.Count;
            }

            for (; output < row.Length; output++)
            {
                if (!float.IsFinite(row[output]))
                    throw new ArgumentException($"The weight at input {input}, output {output} is {row[output]}; only finite weights can be quantized.", nameof(weights));
            }
        }
    }

    private static void RequireEnergy(double[] inputEnergy, int inputs)
    {
        if (inputEnergy.Length != inputs)
            throw new ArgumentException($"There are {inputEnergy.Length} input energies, but {inputs} inputs; give one for each.", nameof(inputEnergy));
        for (var input = 0; input < inputs; input++)
        {
            if (!(inputEnergy[input] >= 0) || !double.IsFinite(inputEnergy[input]))
                throw new ArgumentException($"The energy of input {input} is {inputEnergy[input]}; it must be 0 or more, and finite.", nameof(inputEnergy));
        }
    }
}
