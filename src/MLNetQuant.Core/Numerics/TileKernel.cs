using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLNetQuant.Numerics;

/// <summary>
/// The one inner loop of every dense product here: C += AB on a tile of 8 rows and 128 bytes of columns, kept in
/// registers. Each element is a chain of fused multiply-adds in ascending order of the inner index; hence the bits
/// depend neither on the vector width nor on how a product is cut into tiles, panels and depth chunks.
/// </summary>
internal static unsafe class TileKernel
{
    /// <summary>Rows of a tile; the stride of the interleaved operand A.</summary>
    internal const int Rows = 8;

    private const int LaneBytes = 128;

    /// <summary>Columns of a tile: 32 floats or 16 doubles.</summary>
    internal static int Lanes<T>() where T : unmanaged => LaneBytes / sizeof(T);

    /// <summary>c += ab.</summary>
    /// <param name="a">depth × 8, the eight rows of the tile interleaved.</param>
    /// <param name="b">depth rows of one tile width, <paramref name="bStride"/> apart.</param>
    /// <param name="bStride">Elements from one row of b to the next.</param>
    /// <param name="depth">Inner size of the product.</param>
    /// <param name="c">8 rows of one tile width, <paramref name="cStride"/> apart.</param>
    /// <param name="cStride">Elements from one row of c to the next.</param>
    internal static void MultiplyAdd<T>(T* a, T* b, nint bStride, int depth, T* c, nint cStride) where T : unmanaged
    {
        if (Vector512.IsHardwareAccelerated)
            Wide(a, b, bStride, depth, c, cStride);
        else
            Narrow(a, b, bStride, depth, c, cStride);
    }

    /// <summary>Eight rows of two 512-bit vectors: sixteen accumulators.</summary>
    internal static void Wide<T>(T* a, T* b, nint bStride, int depth, T* c, nint cStride) where T : unmanaged
    {
        nint width = Vector512<T>.Count;
        T* c1 = c + cStride, c2 = c1 + cStride, c3 = c2 + cStride;
        T* c4 = c3 + cStride, c5 = c4 + cStride, c6 = c5 + cStride, c7 = c6 + cStride;
        Vector512<T> l0 = Vector512.Load(c), r0 = Vector512.Load(c + width);
        Vector512<T> l1 = Vector512.Load(c1), r1 = Vector512.Load(c1 + width);
        Vector512<T> l2 = Vector512.Load(c2), r2 = Vector512.Load(c2 + width);
        Vector512<T> l3 = Vector512.Load(c3), r3 = Vector512.Load(c3 + width);
        Vector512<T> l4 = Vector512.Load(c4), r4 = Vector512.Load(c4 + width);
        Vector512<T> l5 = Vector512.Load(c5), r5 = Vector512.Load(c5 + width);
        Vector512<T> l6 = Vector512.Load(c6), r6 = Vector512.Load(c6 + width);
        Vector512<T> l7 = Vector512.Load(c7), r7 = Vector512.Load(c7 + width);
        for (var k = 0; k < depth; k++)
        {
            Vector512<T> left = Vector512.Load(b), right = Vector512.Load(b + width);
            var s = Vector512.Create(a[0]);
            l0 = Fma(s, left, l0);
            r0 = Fma(s, right, r0);
            s = Vector512.Create(a[1]);
            l1 = Fma(s, left, l1);
            r1 = Fma(s, right, r1);
            s = Vector512.Create(a[2]);
            l2 = Fma(s, left, l2);
            r2 = Fma(s, right, r2);
            s = Vector512.Create(a[3]);
            l3 = Fma(s, left, l3);
            r3 = Fma(s, right, r3);
            s = Vector512.Create(a[4]);
            l4 = Fma(s, left, l4);
            r4 = Fma(s, right, r4);
            s = Vector512.Create(a[5]);
            l5 = Fma(s, left, l5);
            r5 = Fma(s, right, r5);
            s = Vector512.Create(a[6]);
            l6 = Fma(s, left, l6);
            r6 = Fma(s, right, r6);
            s = Vector512.Create(a[7]);
            l7 = Fma(s, left, l7);
            r7 = Fma(s, right, r7);
            a += Rows;
            b += bStride;
        }

        l0.Store(c);
        r0.Store(c + width);
        l1.Store(c1);
        r1.Store(c1 + width);
        l2.Store(c2);
        r2.Store(c2 + width);
        l3.Store(c3);
        r3.Store(c3 + width);
        l4.Store(c4);
        r4.Store(c4 + width);
        l5.Store(c5);
        r5.Store(c5 + width);
        l6.Store(c6);
        r6.Store(c6 + width);
        l7.Store(c7);
        r7.Store(c7 + width);
    }

    /// <summary>The same tile in pieces of four rows and two vectors of the machine's usual width.</summary>
    internal static void Narrow<T>(T* a, T* b, nint bStride, int depth, T* c, nint cStride) where T : unmanaged
    {
        nint width = Vector<T>.Count;
        for (var row = 0; row < Rows; row += 4)
        {
            for (nint lane = 0; lane < Lanes<T>(); lane += 2 * width)
                Quarter(a + row, b + lane, bStride, depth, c + (row * cStride) + lane, cStride);
        }
    }

    private static void Quarter<T>(T* a, T* b, nint bStride, int depth, T* c, nint cStride) where T : unmanaged
    {
        nint width = Vector<T>.Count;
        T* c1 = c + cStride, c2 = c1 + cStride, c3 = c2 + cStride;
        Vector<T> l0 = Vector.Load(c), r0 = Vector.Load(c + width);
        Vector<T> l1 = Vector.Load(c1), r1 = Vector.Load(c1 + width);
        Vector<T> l2 = Vector.Load(c2), r2 = Vector.Load(c2 + width);
        Vector<T> l3 = Vector.Load(c3), r3 = Vector.Load(c3 + width);
        for (var k = 0; k < depth; k++)
        {
            Vector<T> left = Vector.Load(b), right = Vector.Load(b + width);
            var s = Vector.Create(a[0]);
            l0 = Fma(s, left, l0);
            r0 = Fma(s, right, r0);
            s = Vector.Create(a[1]);
            l1 = Fma(s, left, l1);
            r1 = Fma(s, right, r1);
            s = Vector.Create(a[2]);
            l2 = Fma(s, left, l2);
            r2 = Fma(s, right, r2);
            s = Vector.Create(a[3]);
            l3 = Fma(s, left, l3);
            r3 = Fma(s, right, r3);
            a += Rows;
            b += bStride;
        }

        l0.Store(c);
        r0.Store(c + width);
        l1.Store(c1);
        r1.Store(c1 + width);
        l2.Store(c2);
        r2.Store(c2 + width);
        l3.Store(c3);
        r3.Store(c3 + width);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<T> Fma<T>(Vector512<T> a, Vector512<T> b, Vector512<T> c) where T : unmanaged =>
        typeof(T) == typeof(float)
            ? Vector512.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>()
            : Vector512.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<T> Fma<T>(Vector<T> a, Vector<T> b, Vector<T> c) where T : unmanaged =>
        typeof(T) == typeof(float)
            ? Vector.FusedMultiplyAdd(a.As<T, float>(), b.As<T, float>(), c.As<T, float>()).As<float, T>()
            : Vector.FusedMultiplyAdd(a.As<T, double>(), b.As<T, double>(), c.As<T, double>()).As<double, T>();
}
