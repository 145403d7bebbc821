using MLNetQuant.Onnx.Calibration;

namespace MLNetQuant.Onnx.Tests.Calibration;

/// <summary>Memory that a run lets go of. Other tests allocate at the same time, so that only what must happen is asserted.</summary>
[Collection("Temporary files")]
public class GarbageLimitTests
{
    private const int Megabyte = 1 << 20;

    [Theory]
    [InlineData(0, 64)]
    [InlineData(1L << 30, 64)]
    [InlineData(1536L << 20, 96)]
    [InlineData(1L << 40, 128)]
    public void A_sixteenth_of_the_budget_may_be_garbage_between_64_and_128_megabytes(long budget, int megabytes)
    {
        using var garbage = new GarbageLimit(budget);
        Assert.Equal((long)megabytes * Megabyte, garbage.Bytes);
    }

    [Fact]
    public void Arrays_that_nothing_refers_to_are_gone_soon_after_the_limit_is_reached()
    {
        using var garbage = new GarbageLimit(budget: 0);
        var dropped = Drop(4 * Megabyte, 32);
        Assert.True(
            SpinWait.SpinUntil(() => dropped.All(d => !d.IsAlive), TimeSpan.FromSeconds(30)),
            $"{dropped.Count(d => d.IsAlive)} of 32 arrays are still there.");
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static WeakReference[] Drop(int bytes, int count) => [.. Enumerable.Range(0, count).Select(_ => new WeakReference(new byte[bytes]))];
}
