using MLNetQuant.Algorithms;
using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.Refinement;

/// <summary>
/// Beacon: codes whose output points in the direction of the float output, and the scale, which that leaves free, after
/// them. Known to us through its implementation in Brevitas; the form in terms of H, G and C is derived.
/// </summary>
/// <remarks>
/// <para>For each output: maximize cos(Xw, X̃q) over the codes, then scale by c = bᵀq/(qᵀHq), b being its column of C.
/// With a = bᵀq and n = qᵀHq the cosine is, but for a factor, a/√n. Changing one entry to p leaves</para>
/// <code>(α + b_t p) / √(ν + 2η_t p + H_tt p²)</code>
/// <para>where α, ν, η = Hq are those without the entry. Along the line this has one stationary point, p* =
/// (b_t ν − α η_t)/(α H_tt − b_t η_t); the best code is a neighbour of it or an end of the alphabet.</para>
/// <para>The codes begin greedily, entry t being chosen for the prefix X_{≤t} w_{≤t} of the output; then come cyclic
/// sweeps until nothing changes (<see cref="BeaconPath"/>). An entry changes only where the cosine grows.</para>
/// <para>q stands for (code − zero point) · s with the recipe's scales s, so that blocks keep their ratios and one c
/// serves each output. Where outputs have no scale of their own to choose (per tensor, or a fixed grid), the nearest
/// codes and as many sweeps of <see cref="CoordinateDescent"/> take its place.</para>
/// </remarks>
public sealed class Beacon : ICertifiedQuantizer
{
    private readonly int _sweeps;

    /// <summary>Beacon with so many sweeps.</summary>
    /// <param name="sweeps">At most so many, from 1; Brevitas makes 5.</param>
    /// <exception cref="ArgumentOutOfRangeException">No sweeps.</exception>
    public Beacon(int sweeps = 5) => _sweeps = sweeps >= 1
        ? sweeps
        : throw new ArgumentOutOfRangeException(nameof(sweeps), $"Beacon cannot make {sweeps} sweeps; use 1 or more.");

    /// <inheritdoc/>
    public string Name => "beacon";

    /// <inheritdoc/>
    public bool NeedsCrossGram => true;

    /// <summary>Rounds the weights. Clipped counts the entries whose p* lay beyond the alphabet in the last sweep.</summary>
    /// <inheritdoc/>
    public QuantizedWeights Quantize(LayerProblem problem, GridRecipe recipe, QuantizationContext context)
    {
        ArgumentNullException.ThrowIfNull(problem);
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(context);
        var g = GreedyPath.CrossGram(problem, Name);
        var grid = recipe.Fit(problem.Weights, problem.Statistics.InputEnergy(), context.Threads);
        if (recipe.IsFixed || !grid.Granularity.SeparatesOutputs)
        {
            var nearest = new Msq().Quantize(problem, GridRecipe.Fixed(grid), context);
            return CoordinateDescent.Run(nearest, problem.Statistics, _sweeps, context);
        }

        var prefix = DoubleProduct.Multiply(
            new PackedRows(g, MatrixPart.Lower), problem.Weights, context.Threads, context.CancellationToken);
        var transposed = problem.Statistics.StreamsAreEqual ? null : g.Transpose();
        var codes = new Matrix<sbyte>(grid.Inputs, grid.Outputs);
        var scales = grid.Scales.Clone();
        var clipped = 0L;
        Workers.For((grid.Outputs + BeaconPath.Neurons - 1) / BeaconPath.Neurons, context.Threads, panel =>
        {
            var first = panel * BeaconPath.Neurons;
            var path = new BeaconPath(problem, grid, first, Math.Min(BeaconPath.Neurons, grid.Outputs - first));
            path.Begin(prefix, transposed);
            var inPanel = path.Sweep(_sweeps, context.CancellationToken);
            Interlocked.Add(ref clipped, inPanel);
            path.Store(codes, scales);
        }, context.CancellationToken);
        return new(codes, new(grid.Alphabet, grid.Granularity, grid.Inputs, scales, grid.ZeroPoints), clipped);
    }
    /// <summary>
    /// <see cref="BeaconBound"/>; where outputs have no scale of their own, the bound of rounding to nearest, below which
    /// descent stays.
    /// </summary>
    /// <inheritdoc/>
    public Certificate? Certify(
        LayerProblem problem, GridRecipe recipe, QuantizedWeights quantized, QuantizationContext context, double failureProbability = 0.01)
    {
        ArgumentNullException.ThrowIfNull(problem);
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(quantized);
        ArgumentNullException.ThrowIfNull(context);
        return !recipe.IsFixed && quantized.Grid.Granularity.SeparatesOutputs
            ? BeaconBound.Of(problem.Statistics, quantized, context.Threads)
            : MsqBound.OfNoWorseThanNearest(problem, quantized, context);
    }
}
