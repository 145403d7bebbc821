namespace MLNetQuant.Tests.Oracles;

/// <summary>The thresholding operators as arXiv 2201.11113 has them, with alphabets of step δ and K steps to each side.</summary>
internal static class Threshold
{
    /// <summary>Q(sign(x) max(|x| − λ, 0)).</summary>
    public static double Soft(double x, double lambda, double step, int k) =>
        step * Math.Clamp(Math.Floor((Math.Sign(x) * Math.Max(Math.Abs(x) - lambda, 0) / step) + 0.5), -k, k);

    /// <summary>0 where |x| ≤ λ, else the nearest of ±λ, ±(λ + δ), …, ±(λ + Kδ) on the side of x.</summary>
    public static double Hard(double x, double lambda, double step, int k) => Math.Abs(x) <= lambda
        ? 0
        : Math.Sign(x) * (lambda + (step * Math.Min(Math.Floor(((Math.Abs(x) - lambda) / step) + 0.5), k)));
}
