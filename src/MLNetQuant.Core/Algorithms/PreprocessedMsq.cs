using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Algorithms;

/// <summary>
/// Memoryless scalar quantization after a deterministic pre-processing of the weights. Maly and Saab, "A simple
/// approach for quantizing neural networks", Applied and Computational Harmonic Analysis 66 (2023), arXiv 2209.03487.
/// </summary>
/// <remarks>
/// <para>For each neuron w the pre-processing seeks z with Az = Aw and |z_t| ≤ c of which at most r entries, the rank
/// of A, are off ±c; <see cref="KernelWalk"/> finds it. Then each weight is rounded to the nearest point of a grid that
/// contains ±c: only those r entries incur an error, however many inputs there are.</para>
/// <para>The paper has A = X̃. Here A is the leading eigenvectors of H = X̃ᵀX̃, at most
/// <see cref="PreprocessedMsqOptions.MaxDirections"/> of them: where the rows have no larger rank that is the same
/// constraint, since it depends on the row space only; otherwise X̃z = Xw is kept in the directions in which the data
/// are large. A direction is left out where keeping it costs more than it saves: with r directions the expected error
/// is about r (c/k)²/12 · tr H/N for the entries off ±c, where c has code k, and rms² of the weights times the
/// eigenvalues of the directions that are let go.</para>
/// <para>In hidden layers X̃ ≠ X, so w is aligned first: w + Vy, where V holds those directions and y minimizes
/// ‖XW − X̃(w + Vy)‖² + λ‖y‖².</para>
/// <para>c is about 1.5 times the root mean square of the weights that share a scale, and larger only where no z would
/// fit; so the recipe's scale rule is not used. With a fixed grid c is a multiple of its scales. There is no parameter
/// to tune.</para>
/// <para>An input that is zero on all rows takes no part and is rounded as it is. Where A has as many rows as there are
/// inputs no z ≠ w exists, and this is MSQ.</para>
/// </remarks>
/// <param name="options">Directions, damping.</param>
public sealed class PreprocessedMsq(PreprocessedMsqOptions options) : ICertifiedQuantizer
{
    private const int MostOfGram = 64;
    private const int MostOfRows = 256;
    private const double Noise = 1e-9; // eigenvalues of sums in single precision, relative to the largest

    private readonly PreprocessedMsqOptions _options = options ?? throw new ArgumentNullException(nameof(options));

    /// <summary>With default options.</summary>
    public PreprocessedMsq() : this(new())
    {
    }

    /// <inheritdoc/>
    public string Name => "msq-preprocessed";

    /// <inheritdoc/>
    public bool NeedsCrossGram => false;

    /// <inheritdoc/>
    public QuantizedWeights Quantize(LayerProblem problem, GridRecipe recipe, QuantizationContext context)
    {
        var preprocessed = Preprocess(problem, recipe, context);
        return new PathProblem(preprocessed.Z, S: null, Feedback.Value) { Target = () => problem.Weights }
            .Round(preprocessed.Grid, codes => new NearestRounding(preprocessed.Grid, codes), context);
    }

    /// <inheritdoc/>
    public Certificate? Certify(
        LayerProblem problem, GridRecipe recipe, QuantizedWeights quantized, QuantizationContext context, double failureProbability = 0.01)
    {
        ArgumentNullException.ThrowIfNull(context);
        return PreprocessedMsqBound.Of(problem.Statistics, Preprocess(problem, recipe, context), quantized, context.Threads);
    }

    /// <summary>The pre-processing alone, before any rounding.</summary>
    /// <param name="problem">Weights and statistics of the layer.</param>
    /// <param name="recipe">Alphabet and granularity of the grid, or a fixed grid.</param>
    /// <param name="context">Threads and cancellation.</param>
    /// <exception cref="ArgumentException">Weights that are not finite, or a fixed grid of another shape.</exception>
    public PreprocessedWeights Preprocess(LayerProblem problem, GridRecipe recipe, QuantizationContext context)
    {
        ArgumentNullException.ThrowIfNull(problem);
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(context);
        var ordinary = recipe.Fit(problem.Weights, problem.Statistics.InputEnergy(), context.Threads); // refuses weights that are not finite
        var h = problem.Statistics.H;
        var live = LiveInputs(h);
        var directions = Directions(problem.Statistics, live.Length, recipe.Alphabet, context);
        var aligned = problem.Statistics.StreamsAreEqual ? problem.WideWeights() : Align(problem, directions, context);
        if (directions.Values.Length == 0 || directions.Values.Length == live.Length)
            return new(aligned, aligned, directions.Vectors, recipe.Fit(PathProblem.Narrow(aligned), problem.Statistics.InputEnergy(), context.Threads));

        using var a = new WalkConstraints(directions.Vectors.Transpose());
        var target = new Matrix<double>(aligned.Columns, aligned.Rows);
        foreach (var t in live)
        {
            for (var i = 0; i < target.Rows; i++)
                target[i, t] = aligned[t, i];
        }

        var (z, codes, grid) = BoxGrid.Find(a, target, recipe, recipe.IsFixed ? ordinary : null, context);
        Walk(a, target, z, codes, grid, context);
        var walked = aligned.Clone();
        foreach (var t in live)
        {
            for (var i = 0; i < target.Rows; i++)
                walked[t, i] = z[i, t];
        }

        return new(aligned, walked, directions.Vectors, grid);
    }

    private static void Walk(
        WalkConstraints a, Matrix<double> target, Matrix<double> z, int[] codes, Grid grid, QuantizationContext context)
    {
        const int Neurons = 8; // that share the memory of one walk
        Workers.For((z.Rows + Neurons - 1) / Neurons, context.Threads, piece =>
        {
            using var walk = new KernelWalk(a);
            var bounds = new double[z.Columns];
            for (var i = piece * Neurons; i < Math.Min(z.Rows, (piece + 1) * Neurons); i++)
            {
                if (codes[i] == 0)
                    continue;
                for (var t = 0; t < bounds.Length; t++)
                    bounds[t] = codes[i] * (double)grid.Scale(t, i);
                walk.Walk(target.Row(i), z.Row(i), bounds);
            }
        }, context.CancellationToken);
    }

    /// <summary>The directions worth keeping.</summary>
    private LeadingDirections Directions(LayerStatistics statistics, int live, Alphabet alphabet, QuantizationContext context)
    {
        var trace = 0.0;
        for (var t = 0; t < statistics.Inputs; t++)
            trace += statistics.H[t, t];
        var most = _options.MaxDirections > 0 ? _options.MaxDirections
            : statistics.Count < statistics.Inputs ? MostOfRows
            : MostOfGram;
        var step = BoxGrid.RootMeanSquares * alphabet.Stride / Math.Min(alphabet.High, -alphabet.Low);
        var price = step * step / 12 * trace / Math.Max(1, live);
        return LeadingDirections.Of(
            statistics.H,
            (int)Math.Min(Math.Min(most, statistics.Inputs), statistics.Count),
            Math.Max(price, Noise * trace),
            context.Threads,
            context.CancellationToken);
    }

    /// <summary>W + VY with Y = (VᵀHV + λI)⁻¹ Vᵀ(C − HW); VᵀHV is the diagonal matrix of the eigenvalues.</summary>
    private Matrix<double> Align(LayerProblem problem, LeadingDirections directions, QuantizationContext context)
    {
        var (h, c) = (problem.Statistics.H, problem.Statistics.C);
        var aligned = problem.WideWeights();
        var vectors = new PackedRows(directions.Vectors, MatrixPart.Full);
        var image = new PackedRows(Multiply(vectors, h), MatrixPart.Full);
        var (pull, held) = (Multiply(vectors, c), Multiply(image, aligned));
        var lambda = Damping.Lambda(h, _options.Damping);
        for (var k = 0; k < pull.Rows; k++)
        {
            for (var i = 0; i < pull.Columns; i++)
                pull[k, i] = (pull[k, i] - held[k, i]) / (directions.Values[k] + lambda);
        }

        var change = Multiply(new(directions.Vectors.Transpose(), MatrixPart.Full), pull);
        for (var i = 0; i < aligned.Data.Length; i++)
            aligned.Data[i] += change.Data[i];
        return aligned;

        Matrix<double> Multiply(PackedRows left, Matrix<double> right) =>
            DoubleProduct.Multiply(left, right, context.Threads, context.CancellationToken);
    }

    private static int[] LiveInputs(Matrix<double> h) => [.. Enumerable.Range(0, h.Rows).Where(t => h[t, t] > 0)];
}
