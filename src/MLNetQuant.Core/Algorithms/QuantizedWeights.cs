using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.Algorithms;

/// <summary>Integer codes on a grid: what an algorithm returns.</summary>
public sealed class QuantizedWeights
{
    /// <summary>Codes on a grid.</summary>
    /// <param name="codes">Inputs × outputs, each within the grid's alphabet.</param>
    /// <param name="grid">A grid of the same shape.</param>
    /// <param name="clipped">How many arguments of the rounding lay outside the alphabet.</param>
    /// <exception cref="ArgumentException">Codes of another shape than the grid, or outside its alphabet.</exception>
    public QuantizedWeights(Matrix<sbyte> codes, Grid grid, long clipped = 0)
    {
        ArgumentNullException.ThrowIfNull(codes);
        ArgumentNullException.ThrowIfNull(grid);
        ArgumentOutOfRangeException.ThrowIfNegative(clipped);
        if (codes.Rows != grid.Inputs || codes.Columns != grid.Outputs)
            throw new ArgumentException($"The codes are {codes.Rows}×{codes.Columns}, but the grid is for {grid.Inputs}×{grid.Outputs} weights.", nameof(codes));
        foreach (var code in codes.Data)
        {
            if (!grid.Alphabet.Contains(code))
                throw new ArgumentException($"The code {code} is outside the alphabet {grid.Alphabet}.", nameof(codes));
        }

        (Codes, Grid, Clipped) = (codes, grid, clipped);
    }

    /// <summary>Inputs × outputs.</summary>
    public Matrix<sbyte> Codes { get; }

    /// <summary>The grid that gives the codes their values.</summary>
    public Grid Grid { get; }

    /// <summary>
    /// How many codes stand at an end of the alphabet because the argument of the rounding lay beyond it. Above zero,
    /// the guarantees that assume an unlimited alphabet do not hold.
    /// </summary>
    public long Clipped { get; }

    /// <summary>
    /// How often the algorithm had to raise its damping tenfold before H + λI could be factored: 0 to 3, and 0 for
    /// algorithms that factor nothing.
    /// </summary>
    public int DampingRaises { get; init; }

    /// <summary>What produced the codes where an algorithm chose among several, for example "qronos+steps+descent".</summary>
    public string? Recipe { get; private init; }

    /// <summary>
    /// ‖XW − X̃Q‖_F / ‖XW‖_F on the rows held back, of codes that were chosen without them, where an algorithm judged by such
    /// rows; null where it did not. The codes here may have been chosen again since, on all rows.
    /// </summary>
    public double? HeldBackError { get; private init; }

    /// <summary>The algorithm chosen among several.</summary>
    internal IWeightQuantizer? Winner { get; private init; }

    /// <summary>What that algorithm returned, before codes and scales were refined.</summary>
    internal QuantizedWeights? Path { get; private init; }

    /// <summary>The same codes with what produced them.</summary>
    internal QuantizedWeights Of(IWeightQuantizer winner, string recipe, QuantizedWeights path, double? heldBackError) => new(Codes, Grid, Clipped)
    {
        HeldBackError = heldBackError,
        DampingRaises = DampingRaises,
        Winner = winner,
        Recipe = recipe,
        Path = path,
    };

    /// <summary>The values, <see cref="Grid.Value"/> in single precision, which is what the file computes.</summary>
    public Matrix<float> Dequantize()
    {
        var values = new Matrix<float>(Codes.Rows, Codes.Columns);
        for (var input = 0; input < Codes.Rows; input++)
        {
            var codes = Codes.Row(input);
            var grid = Grid.Lanes(input, 0, codes.Length);
            var row = values.Row(input);
            for (var output = 0; output < row.Length; output++)
                row[output] = grid.Value(output, codes[output]);
        }

        return values;
    }
}
