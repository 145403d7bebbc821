using MLNetQuant.Numerics;

namespace MLNetQuant.Algorithms;

/// <summary>The ridge λI that keeps H invertible. Options give it as a multiple of the mean of diag H.</summary>
internal static class Damping
{
    /// <summary>What the OPTQ paper takes.</summary>
    internal const double Default = 0.01;

    /// <summary>λ.</summary>
    internal static double Lambda(Matrix<double> h, double damping)
    {
        var sum = 0.0;
        for (var t = 0; t < h.Rows; t++)
            sum += h[t, t];
        return damping * sum / h.Rows;
    }

    /// <summary>Refuses a multiple that is negative or not finite.</summary>
    internal static double Checked(double damping, string algorithm) => damping >= 0 && double.IsFinite(damping)
        ? damping
        : throw new ArgumentOutOfRangeException(nameof(damping), $"The damping of {algorithm} is {damping}; it must be a finite number from 0.");
}
