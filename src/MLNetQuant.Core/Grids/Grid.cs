using MLNetQuant.Numerics;

namespace MLNetQuant.Grids;

/// <summary>
/// A fitted symmetric grid for a weight matrix: the weight at (input, output) may be scale × code for each code of
/// the alphabet. Scales are float32, because that is what a file holds.
/// </summary>
public sealed class Grid
{
    /// <summary>A grid with given scales.</summary>
    /// <param name="alphabet">The codes.</param>
    /// <param name="granularity">Which weights share a scale.</param>
    /// <param name="inputs">Inputs of the weight matrix, at least 1.</param>
    /// <param name="scales">⌈inputs / block size⌉ × outputs, positive and finite; per tensor all equal.</param>
    /// <exception cref="ArgumentException">Scales of another shape, or one that is not positive and finite.</exception>
    public Grid(Alphabet alphabet, Granularity granularity, int inputs, Matrix<float> scales)
    {
        ArgumentNullException.ThrowIfNull(granularity);
        ArgumentNullException.ThrowIfNull(scales);
        ArgumentOutOfRangeException.ThrowIfLessThan(inputs, 1);
        if (alphabet.Levels < 2)
            throw new ArgumentException("The alphabet is empty; make one with Alphabet.OfBits or with its two ends.", nameof(alphabet));
        BlockSize = granularity.BlockSize(inputs);
        var blocks = (inputs + BlockSize - 1) / BlockSize;
        if (scales.Rows != blocks || scales.Columns < 1)
        {
            throw new ArgumentException(
                $"A grid for {inputs} inputs with granularity {granularity} needs {blocks} rows of scales and one column per output, not {scales.Rows}×{scales.Columns}.",
                nameof(scales));
        }

        for (var block = 0; block < scales.Rows; block++)
        {
            for (var output = 0; output < scales.Columns; output++)
            {
                var scale = scales[block, output];
                if (!(scale > 0) || !float.IsFinite(scale))
                    throw new ArgumentException($"The scale of block {block}, output {output} is {scale}; scales must be positive and finite.", nameof(scales));
                if (!granularity.SeparatesOutputs && scale != scales[0, 0])
                    throw new ArgumentException($"A grid per tensor has one scale, but output {output} has {scale} and output 0 has {scales[0, 0]}.", nameof(scales));
            }
        }

        Alphabet = alphabet;
        Granularity = granularity;
        Inputs = inputs;
        Scales = scales;
    }

    /// <summary>The codes.</summary>
    public Alphabet Alphabet { get; }

    /// <summary>Which weights share a scale.</summary>
    public Granularity Granularity { get; }

    /// <summary>Inputs of the weight matrix: its rows.</summary>
    public int Inputs { get; }

    /// <summary>Outputs of the weight matrix: its columns.</summary>
    public int Outputs => Scales.Columns;

    /// <summary>Inputs that share a scale; <see cref="Inputs"/> per tensor and per channel. The last block may be shorter.</summary>
    public int BlockSize { get; }

    /// <summary>⌈Inputs / BlockSize⌉ × Outputs, one column per output even where they are all equal.</summary>
    public Matrix<float> Scales { get; }

    /// <summary>The scale of one weight.</summary>
    public float Scale(int input, int output) => Scales[input / BlockSize, output];

    /// <summary>The scales of all outputs at one input.</summary>
    internal ReadOnlySpan<float> ScalesOf(int input) => Scales.Row(input / BlockSize);

    /// <summary>The same grid for some of the outputs, as grouped layers need.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the outputs, or is empty.</exception>
    public Grid SelectOutputs(int start, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return new(Alphabet, Granularity, Inputs, Scales.SelectColumns(start, count));
    }
}
