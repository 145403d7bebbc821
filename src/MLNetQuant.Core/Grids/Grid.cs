using MLNetQuant.Numerics;

namespace MLNetQuant.Grids;

/// <summary>
/// A fitted grid for a weight matrix: the weight at (input, output) may be ((float)code − (float)zero point) · scale,
/// in single precision, for each code of the alphabet. Scales are float32, because that is what a file holds; zero
/// points are integers between the ends of the alphabet, so that zero is a value of every grid but a binary one, and
/// are all zero for a symmetric grid. A grid with a <see cref="Threshold"/> leaves a gap around zero, as hard
/// thresholding does: 0, ±λ, ±(λ + s), ±(λ + 2s) and so on.
/// </summary>
public sealed class Grid
{
    private readonly Matrix<float>? _zeroPoints; // as the arithmetic needs them

    /// <summary>A grid with given scales and zero points.</summary>
    /// <param name="alphabet">The codes.</param>
    /// <param name="granularity">Which weights share a scale.</param>
    /// <param name="inputs">Inputs of the weight matrix, at least 1.</param>
    /// <param name="scales">⌈inputs / block size⌉ × outputs, positive and finite; per tensor all equal.</param>
    /// <param name="zeroPoints">Of the same shape, each from the smallest to the largest code, per tensor all equal;
    /// null for zero.</param>
    /// <exception cref="ArgumentException">Scales or zero points of another shape, a scale that is not positive and
    /// finite, or a zero point beyond the ends of the alphabet.</exception>
    public Grid(Alphabet alphabet, Granularity granularity, int inputs, Matrix<float> scales, Matrix<sbyte>? zeroPoints = null)
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

        if (zeroPoints is not null && Array.Exists(zeroPoints.Data, z => z != 0))
        {
            RequireZeroPoints(alphabet, granularity, scales, zeroPoints);
            ZeroPoints = zeroPoints;
            _zeroPoints = new(scales.Rows, scales.Columns, Array.ConvertAll(zeroPoints.Data, z => (float)z));
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

    /// <summary>The codes whose value is zero, in the shape of <see cref="Scales"/>; null where all of them are zero.</summary>
    public Matrix<sbyte>? ZeroPoints { get; }

    /// <summary>λ, the least size of a value that is not zero: code z ± k stands for ±(λ + (k − 1)s), k from 1. Zero, the
    /// usual case, for values that are all whole multiples of the scale.</summary>
    public float Threshold { get; private init; }

    /// <summary>The same grid with a gap around zero.</summary>
    /// <param name="threshold">λ, positive and finite; zero closes the gap.</param>
    /// <exception cref="ArgumentOutOfRangeException">A threshold that is negative or not finite.</exception>
    /// <exception cref="InvalidOperationException">A grid of one bit, which has no zero, and a threshold above zero.</exception>
    public Grid WithThreshold(float threshold)
    {
        if (!(threshold >= 0) || !float.IsFinite(threshold))
            throw new ArgumentOutOfRangeException(nameof(threshold), $"The threshold of a grid is {threshold}; it must be a finite number from 0.");
        if (Alphabet.IsBinary && threshold > 0)
            throw new InvalidOperationException("A grid of one bit has no zero and therefore no threshold; use 2 bits or more.");
        return new(Alphabet, Granularity, Inputs, Scales, ZeroPoints) { Threshold = threshold };
    }

    /// <summary>The scale of one weight.</summary>
    public float Scale(int input, int output) => Scales[input / BlockSize, output];

    /// <summary>The zero point of one weight.</summary>
    public int ZeroPoint(int input, int output) => ZeroPoints?[input / BlockSize, output] ?? 0;

    /// <summary>The code whose value is nearest to a number: clip(⌊v/s + z + ½⌋), ties upwards; with a threshold
    /// clip(⌊z ± (1 + (|v| − λ)/s) + ½⌋), and ⌊z + v/λ + ½⌋ where |v| &lt; λ.</summary>
    /// <param name="input">Row of the weight matrix.</param>
    /// <param name="output">Column of the weight matrix.</param>
    /// <param name="value">v, not NaN.</param>
    /// <param name="clipped">Whether v lay so far outside that an end of the alphabet stands for it, as
    /// <see cref="Algorithms.QuantizedWeights.Clipped"/> counts.</param>
    /// <exception cref="ArgumentException">v is not a number.</exception>
    public sbyte Nearest(int input, int output, double value, out bool clipped)
    {
        if (double.IsNaN(value))
            throw new ArgumentException($"The value at input {input}, output {output} is NaN, which has no nearest code.", nameof(value));
        var number = Lanes(input, output, 1).Steps(0, value) + ZeroPoint(input, output);
        var code = Alphabet.IsBinary ? (2 * Math.Floor(((number - 1) / 2) + 0.5)) + 1 : Math.Floor(number + 0.5);
        var inside = Math.Clamp(code, Alphabet.Low, Alphabet.High);
        clipped = code != inside;
        return (sbyte)inside;
    }

    /// <summary>What a code stands for: ((float)code − (float)zero point) · scale in single precision; with a threshold,
    /// and k that difference, (k − sign(k)) · scale + sign(k) · λ.</summary>
    public float Value(int input, int output, int code) => Lanes(input, output, 1).Value(0, code);

    /// <summary>All that the grid says of some outputs at one input.</summary>
    internal GridLanes Lanes(int input, int firstOutput, int count)
    {
        var block = input / BlockSize;
        return new(
            Scales.Row(block).Slice(firstOutput, count),
            _zeroPoints is null ? default : _zeroPoints.Row(block).Slice(firstOutput, count),
            Alphabet,
            Threshold);
    }

    /// <summary>The same grid for some of the outputs, as grouped layers need.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the outputs, or is empty.</exception>
    public Grid SelectOutputs(int start, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return new(Alphabet, Granularity, Inputs, Scales.SelectColumns(start, count), ZeroPoints?.SelectColumns(start, count)) { Threshold = Threshold };
    }

    /// <summary>The same grid with every scale multiplied, the threshold kept.</summary>
    internal Grid Times(double factor) => new(
        Alphabet,
        Granularity,
        Inputs,
        new(Scales.Rows, Scales.Columns, Array.ConvertAll(Scales.Data, scale => ScaleFit.Times(scale, factor))),
        ZeroPoints)
    { Threshold = Threshold };

    /// <summary>Refuses a grid with a threshold, whose values are no multiples of a scale.</summary>
    /// <param name="what">What needs such multiples, as the sentence's subject.</param>
    /// <exception cref="ArgumentException">The grid has a threshold.</exception>
    internal void RequireNoThreshold(string what)
    {
        if (Threshold > 0)
            throw new ArgumentException($"{what} needs values that are multiples of a scale, and this grid has a threshold of {Threshold}; use it on weights without hard thresholding.");
    }

    private static void RequireZeroPoints(Alphabet alphabet, Granularity granularity, Matrix<float> scales, Matrix<sbyte> zeroPoints)
    {
        if (zeroPoints.Rows != scales.Rows || zeroPoints.Columns != scales.Columns)
        {
            throw new ArgumentException(
                $"The scales are {scales.Rows}×{scales.Columns}, so the zero points must be as well, not {zeroPoints.Rows}×{zeroPoints.Columns}.",
                nameof(zeroPoints));
        }

        for (var block = 0; block < zeroPoints.Rows; block++)
        {
            for (var output = 0; output < zeroPoints.Columns; output++)
            {
                int zeroPoint = zeroPoints[block, output];
                if (zeroPoint < alphabet.Low || zeroPoint > alphabet.High)
                {
                    throw new ArgumentException(
                        $"The zero point of block {block}, output {output} is {zeroPoint}; it must be from {alphabet.Low} to {alphabet.High}.", nameof(zeroPoints));
                }

                if (!granularity.SeparatesOutputs && zeroPoint != zeroPoints[0, 0])
                    throw new ArgumentException($"A grid per tensor has one zero point, but output {output} has {zeroPoint} and output 0 has {zeroPoints[0, 0]}.", nameof(zeroPoints));
            }
        }
    }
}
