namespace MLNetQuant.Grids;

/// <summary>
/// The zero point of half-quadratic quantization: min over z of φ(w − s(Q(w/s + z) − z)) with φ = Σ|·|^0.7, the scale s
/// being fixed. HQQ, Mobius Labs 2023.
/// </summary>
/// <remarks>
/// <code>
/// r   = s(Q(w/s + z) − z)                             the rounded weights
/// e   = shrink(w − r) ;  shrink(x) = sgn(x)·max(|x| − |x|^(p−1)/β, 0)
/// z   ← mean(Q(w/s + z) − (w − e)/s) ;  β ← κβ
/// </code>
/// <para>until mean |w − r| falls no more, at most 20 times; β = 10, κ = 1.01. As in the public code the z of the last,
/// failing iteration stands.</para>
/// </remarks>
internal static class HalfQuadraticZeroPoint
{
    private const double Norm = 0.7;
    private const int Iterations = 20;

    /// <summary>The rounded zero point, or the given one where that has the smaller norm.</summary>
    internal static int Fit(Alphabet alphabet, ReadOnlySpan<float> weights, GroupScale grid)
    {
        var real = Optimize(alphabet, weights, grid.Scale, grid.ZeroPoint).ZeroPoint;
        var rounded = (int)Math.Clamp(Math.Floor(real + 0.5), alphabet.Low, alphabet.High);
        return Distance(alphabet, weights, grid with { ZeroPoint = rounded }) < Distance(alphabet, weights, grid)
            ? rounded
            : grid.ZeroPoint;
    }

    /// <summary>The zero point before it is rounded, and the iterations that it took.</summary>
    internal static (double ZeroPoint, int Iterations) Optimize(
        Alphabet alphabet, ReadOnlySpan<float> weights, double scale, double zeroPoint)
    {
        var (least, beta) = (double.PositiveInfinity, 10.0);
        for (var iteration = 1; ; iteration++)
        {
            var (error, sum) = (0.0, 0.0);
            foreach (var weight in weights)
            {
                var code = Nearest(alphabet, (weight / scale) + zeroPoint);
                var difference = weight - ((code - zeroPoint) * scale);
                error += Math.Abs(difference);
                sum += code - ((weight - Shrink(difference, beta)) / scale);
            }

            zeroPoint = sum / weights.Length;
            beta *= 1.01;
            if (!(error < least) || iteration == Iterations)
                return (zeroPoint, iteration);
            least = error;
        }
    }

    private static double Shrink(double x, double beta) =>
        Math.CopySign(Math.Max(Math.Abs(x) - (Math.Pow(Math.Abs(x), Norm - 1) / beta), 0), x);

    private static double Distance(Alphabet alphabet, ReadOnlySpan<float> weights, GroupScale grid)
    {
        var sum = 0.0;
        foreach (var weight in weights)
        {
            var code = Nearest(alphabet, ((double)weight / grid.Scale) + grid.ZeroPoint);
            sum += Math.Pow(Math.Abs(weight - ((code - grid.ZeroPoint) * grid.Scale)), Norm);
        }

        return sum;
    }

    private static double Nearest(Alphabet alphabet, double code)
    {
        var steps = Math.Floor(((code - alphabet.Low) / alphabet.Stride) + 0.5);
        return Math.Clamp((steps * alphabet.Stride) + alphabet.Low, alphabet.Low, alphabet.High);
    }
}
