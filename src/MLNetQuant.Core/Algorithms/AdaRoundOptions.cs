namespace MLNetQuant.Algorithms;

/// <summary>The choices of AdaRound.</summary>
public sealed record AdaRoundOptions
{
    /// <summary>Steps of the optimizer, at least 1. Each takes 2N²M operations for N inputs and M outputs. The published
    /// 10,000 are steps of a small random batch; here each step sees all rows.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No steps.</exception>
    public int Iterations
    {
        get;
        init => field = value >= 1
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"AdaRound cannot make {value} iterations; use 1 or more.");
    } = 1000;

    /// <summary>Adam's rate, above 0: about how far a variable V moves in one step.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A rate that is not positive and finite.</exception>
    public double LearningRate
    {
        get;
        init => field = value > 0 && double.IsFinite(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"The learning rate of AdaRound is {value}; it must be a finite number above 0.");
    } = 0.01;

    /// <summary>λ, from 0, in units of the energy of one step of the output's grid, averaged over its inputs, so that
    /// the size of inputs and weights does not matter. Where X̃ = X it is λ alone that moves V away from the weights.
    /// (The published 0.01 is in units of the output.)</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number that is negative or not finite.</exception>
    public double Regularization
    {
        get;
        init => field = value >= 0 && double.IsFinite(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(value), $"The regularization of AdaRound is {value}; it must be a finite number from 0.");
    } = 1;
}
