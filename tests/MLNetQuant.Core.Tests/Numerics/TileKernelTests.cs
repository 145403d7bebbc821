using MLNetQuant.Numerics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Numerics;

public unsafe class TileKernelTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(37)]
    public void Every_vector_width_gives_the_bits_of_scalar_fused_multiply_adds(int depth)
    {
        var lanes = TileKernel.Lanes<double>();
        Assert.Equal(16, lanes);
        var random = new Random(depth);
        double[] a = Numbers(depth * TileKernel.Rows), b = Numbers(depth * lanes), start = Numbers(TileKernel.Rows * lanes);
        var expected = (double[])start.Clone();
        for (var k = 0; k < depth; k++)
        {
            for (var i = 0; i < expected.Length; i++)
            {
                expected[i] = Math.FusedMultiplyAdd(
                    a[(k * TileKernel.Rows) + (i / lanes)], b[(k * lanes) + (i % lanes)], expected[i]);
            }
        }

        var (wide, narrow) = ((double[])start.Clone(), (double[])start.Clone());
        fixed (double* pa = a, pb = b, pw = wide, pn = narrow)
        {
            TileKernel.Wide(pa, pb, lanes, depth, pw, lanes);
            TileKernel.Narrow(pa, pb, lanes, depth, pn, lanes);
        }

        Assert.Equal(expected, wide);
        Assert.Equal(expected, narrow);

        double[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => Data.Gaussian(random))];
    }

    [Fact]
    public void Single_precision_tiles_are_twice_as_wide_and_fused_as_well()
    {
        var lanes = TileKernel.Lanes<float>();
        Assert.Equal(32, lanes);
        var random = new Random(1);
        float[] a = Numbers(50 * TileKernel.Rows), b = Numbers(50 * lanes);
        var (wide, narrow, expected) = (new float[TileKernel.Rows * lanes], new float[TileKernel.Rows * lanes], new float[TileKernel.Rows * lanes]);
        for (var k = 0; k < 50; k++)
        {
            for (var i = 0; i < expected.Length; i++)
                expected[i] = MathF.FusedMultiplyAdd(a[(k * TileKernel.Rows) + (i / lanes)], b[(k * lanes) + (i % lanes)], expected[i]);
        }

        fixed (float* pa = a, pb = b, pw = wide, pn = narrow)
        {
            TileKernel.Wide(pa, pb, lanes, 50, pw, lanes);
            TileKernel.Narrow(pa, pb, lanes, 50, pn, lanes);
        }

        Assert.Equal(expected, wide);
        Assert.Equal(expected, narrow);

        float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)Data.Gaussian(random))];
    }
}
