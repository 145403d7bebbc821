using System.Runtime.Intrinsics;

namespace MLNetQuant.Algorithms;

/// <summary>A point of {z : Az = Aw, |z_t| ≤ c_t}, from which a walk may start: alternating projections.</summary>
/// <remarks>A has orthonormal rows, so that z − Aᵀ A(z − w) is the nearest point with Az = Aw. The other projection is
/// onto a box smaller by 2 %, so that the first is inside the true box after finitely many rounds.</remarks>
internal static unsafe class BoxStart
{
    private const int Rounds = 60;
    private const double Inside = 0.98;

    /// <summary>Whether the rounds found one; z is meaningless if not.</summary>
    internal static bool TryFind(
        WalkConstraints a, ReadOnlySpan<double> target, ReadOnlySpan<double> bounds, Span<double> z)
    {
        target.CopyTo(z);
        if (IsInside(z, bounds))
            return true;
        double* excess = stackalloc double[a.Stride + 8];
        excess += (64 - ((nint)excess & 63)) / sizeof(double) % 8;
        for (var round = 0; round < Rounds; round++)
        {
            new Span<double>(excess, a.Stride).Clear();
            for (var t = 0; t < z.Length; t++)
            {
                var limit = Inside * bounds[t];
                z[t] = Math.Clamp(z[t], -limit, limit);
                AddScaled(z[t] - target[t], a.Column(t), excess, a.Stride);
            }

            for (var t = 0; t < z.Length; t++)
                z[t] -= Dot(a.Column(t), excess, a.Stride);
            if (IsInside(z, bounds))
                return true;
        }

        return false;
    }

    private static bool IsInside(ReadOnlySpan<double> z, ReadOnlySpan<double> bounds)
    {
        for (var t = 0; t < z.Length; t++)
        {
            if (!(Math.Abs(z[t]) <= bounds[t]))
                return false;
        }

        return true;
    }

    private static void AddScaled(double factor, double* x, double* y, int length)
    {
        var scale = Vector512.Create(factor);
        for (var p = 0; p < length; p += Vector512<double>.Count)
            Vector512.FusedMultiplyAdd(scale, Vector512.LoadAligned(x + p), Vector512.LoadAligned(y + p)).StoreAligned(y + p);
    }

    private static double Dot(double* x, double* y, int length)
    {
        Vector512<double> sum = default;
        for (var p = 0; p < length; p += Vector512<double>.Count)
            sum = Vector512.FusedMultiplyAdd(Vector512.LoadAligned(x + p), Vector512.LoadAligned(y + p), sum);
        var total = 0.0;
        for (var lane = 0; lane < Vector512<double>.Count; lane++)
            total += sum[lane];
        return total;
    }
}
