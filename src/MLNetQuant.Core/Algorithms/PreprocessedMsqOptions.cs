namespace MLNetQuant.Algorithms;

/// <summary>The choices of pre-processed MSQ; none needs to be made.</summary>
public sealed record PreprocessedMsqOptions
{
    /// <summary>
    /// r, the most directions of the data that are kept exactly, or zero to choose: all that the rows have, but at
    /// most 256, where there are fewer rows than inputs, else at most 64. The walk costs O(inputs · r²) per neuron.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A negative number.</exception>
    public int MaxDirections
    {
        get;
        init => field = value >= 0
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"The number of directions to keep is {value}; use 1 or more, or 0 to choose.");
    }

    /// <summary>
    /// Damping of the alignment where X̃ differs from X: λ as a multiple of the mean of diag H, from 0.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A damping that is negative or not finite.</exception>
    public double Damping
    {
        get;
        init => field = Algorithms.Damping.Checked(value, "pre-processed MSQ");
    } = Algorithms.Damping.Default;
}
