using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLNetQuant.Grids;

/// <summary>
/// Rounding errors of eight scales side by side, run by run: Σ importance · |rounded − weight|^p in single precision
/// within a run of weights, in double over the runs.
/// </summary>
/// <remarks>The order of every sum is the same on all machines: eight lanes of weights within a run, then lane by lane.
/// Where vectors are twice as wide as that, each holds two scales. With k = code − zero point a value is k · scale, and
/// k runs from low to high in strides.</remarks>
internal sealed class ShrinkBunch
{
    /// <summary>Scales of a bunch.</summary>
    internal const int Size = 8;

    private const int Run = 32 * WeightGroup.Lanes; // weights whose errors are added in single precision

    private readonly GridRecipe _recipe;
    private readonly WeightGroup _group;
    private readonly float[] _scales;
    private readonly float _low;
    private readonly float _high;
    private readonly bool _isWide;
    private int _next;

    /// <param name="recipe">Alphabet and exponent.</param>
    /// <param name="group">The weights.</param>
    /// <param name="zeroPoint">Of all scales.</param>
    /// <param name="scales">Eight.</param>
    /// <param name="isWide">Whether to use 512-bit vectors; the errors are the same.</param>
    public ShrinkBunch(GridRecipe recipe, WeightGroup group, int zeroPoint, float[] scales, bool isWide)
    {
        (_recipe, _group, _scales, _isWide) = (recipe, group, scales, isWide);
        (_low, _high) = (recipe.Alphabet.Low - zeroPoint, recipe.Alphabet.High - zeroPoint);
    }

    public ShrinkBunch(GridRecipe recipe, WeightGroup group, int zeroPoint, float[] scales)
        : this(recipe, group, zeroPoint, scales, Vector512.IsHardwareAccelerated)
    {
    }

    /// <summary>The errors over the runs so far.</summary>
    public double[] Errors { get; } = new double[Size];

    /// <summary>The least of them.</summary>
    public double Least => Errors.Min();

    /// <summary>Adds runs until none is left, or all errors are above a bound.</summary>
    public void Finish(double bound)
    {
        while (_next < _group.Weights.Length && !(Least > bound))
            AddRun();
    }

    /// <summary>Adds the next run, if one is left.</summary>
    public void AddRun()
    {
        if (_next >= _group.Weights.Length)
            return;
        var end = Math.Min(_group.Weights.Length, _next + Run);
        Span<float> sums = stackalloc float[Size * WeightGroup.Lanes];
        if (_isWide && _recipe is { ErrorExponent: 2, Alphabet.IsBinary: false })
            AddPairs(end, default(SquaredError), sums);
        else if (_isWide)
            AddPairs(end, new PowerError(_recipe.Alphabet.IsBinary, (float)_recipe.ErrorExponent), sums);
        else
            AddSingly(end, sums);
        for (var i = 0; i < Size; i++)
        {
            for (var lane = 0; lane < WeightGroup.Lanes; lane++)
                Errors[i] += sums[(i * WeightGroup.Lanes) + lane];
        }

        _next = end;
    }

    /// <summary>Two scales to a vector, four vectors at a time.</summary>
    private void AddPairs<TError>(int end, TError error, Span<float> sums)
        where TError : struct, IError
    {
        Vector512<float> low = Vector512.Create(_low), high = Vector512.Create(_high);
        Vector512<float> scale0 = Pair(0), scale1 = Pair(1), scale2 = Pair(2), scale3 = Pair(3);
        Vector512<float> inverse0 = Inverse(0), inverse1 = Inverse(1), inverse2 = Inverse(2), inverse3 = Inverse(3);
        Vector512<float> sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        ref var weights = ref _group.Weights[0];
        ref var importances = ref _group.Importance[0];
        for (var i = _next; i < end; i += WeightGroup.Lanes)
        {
            var weight = Twice(Vector256.LoadUnsafe(ref weights, (nuint)i));
            var importance = Twice(Vector256.LoadUnsafe(ref importances, (nuint)i));
            sum0 += importance * error.Of(weight, scale0, inverse0, low, high);
            sum1 += importance * error.Of(weight, scale1, inverse1, low, high);
            sum2 += importance * error.Of(weight, scale2, inverse2, low, high);
            sum3 += importance * error.Of(weight, scale3, inverse3, low, high);
        }

        const int Both = 2 * WeightGroup.Lanes;
        sum0.CopyTo(sums);
        sum1.CopyTo(sums[Both..]);
        sum2.CopyTo(sums[(2 * Both)..]);
        sum3.CopyTo(sums[(3 * Both)..]);

        Vector512<float> Pair(int pair) =>
            Vector512.Create(Vector256.Create(_scales[2 * pair]), Vector256.Create(_scales[(2 * pair) + 1]));

        Vector512<float> Inverse(int pair) =>
            Vector512.Create(Vector256.Create(1 / _scales[2 * pair]), Vector256.Create(1 / _scales[(2 * pair) + 1]));
    }

    /// <summary>One scale after the other.</summary>
    private void AddSingly(int end, Span<float> sums)
    {
        Vector256<float> low = Vector256.Create(_low), high = Vector256.Create(_high), half = Vector256.Create(0.5f);
        var (isBinary, isSquare) = (_recipe.Alphabet.IsBinary, _recipe.ErrorExponent == 2);
        var exponent = Vector256.Create((float)_recipe.ErrorExponent);
        for (var s = 0; s < Size; s++)
        {
            var scale = Vector256.Create(_scales[s]);
            var inverse = Vector256.Create(1 / _scales[s]);
            var sum = Vector256<float>.Zero;
            for (var i = _next; i < end; i += WeightGroup.Lanes)
            {
                var weight = Vector256.Create(_group.Weights, i);
                var k = weight * inverse;
                k = isBinary ? (Vector256.Floor(((k - low) * half) + half) * 2) + low : Vector256.Floor(k + half);
                var difference = (Vector256.MinNative(high, Vector256.MaxNative(low, k)) * scale) - weight;
                var error = isSquare
                    ? difference * difference
                    : Vector256.Exp(Vector256.Log(Vector256.Abs(difference)) * exponent);
                sum += Vector256.Create(_group.Importance, i) * error;
            }

            sum.CopyTo(sums[(s * WeightGroup.Lanes)..]);
        }
    }

    private static Vector512<float> Twice(Vector256<float> lanes) => Vector512.Create(lanes, lanes);

    private interface IError
    {
        Vector512<float> Of(
            Vector512<float> weight, Vector512<float> scale, Vector512<float> inverse, Vector512<float> low, Vector512<float> high);
    }

    private readonly struct SquaredError : IError
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<float> Of(
            Vector512<float> weight, Vector512<float> scale, Vector512<float> inverse, Vector512<float> low, Vector512<float> high)
        {
            var k = Vector512.Floor((weight * inverse) + Vector512.Create(0.5f));
            var difference = (Vector512.MinNative(high, Vector512.MaxNative(low, k)) * scale) - weight;
            return difference * difference;
        }
    }

    private readonly struct PowerError(bool isBinary, float exponent) : IError
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector512<float> Of(
            Vector512<float> weight, Vector512<float> scale, Vector512<float> inverse, Vector512<float> low, Vector512<float> high)
        {
            var half = Vector512.Create(0.5f);
            var k = weight * inverse;
            k = isBinary ? (Vector512.Floor(((k - low) * half) + half) * 2) + low : Vector512.Floor(k + half);
            var difference = (Vector512.MinNative(high, Vector512.MaxNative(low, k)) * scale) - weight;
            return exponent == 2
                ? difference * difference
                : Vector512.Exp(Vector512.Log(Vector512.Abs(difference)) * Vector512.Create(exponent));
        }
    }
}
