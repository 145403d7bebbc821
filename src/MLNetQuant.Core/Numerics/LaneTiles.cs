using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MLNetQuant.Numerics;

/// <summary>
/// Scratch for rows × lanes doubles in the order in which <see cref="TileKernel"/> reads them: all rows of the first
/// sixteen lanes, then all rows of the next. Rows of one tile width lie side by side, so that a tile's right operand
/// fills the first-level cache evenly; rows a power of two apart would share a few sets of it.
/// </summary>
internal static unsafe class LaneTiles
{
    /// <summary>Where a row of a lane tile begins.</summary>
    /// <param name="data">The scratch.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="row">Which row.</param>
    /// <param name="lane">First lane of the tile, a multiple of the tile width.</param>
    internal static double* At(double* data, int rows, int row, int lane) =>
        data + ((long)lane * rows) + ((long)row * TileKernel.Lanes<double>());

    /// <summary>One element, of any lane.</summary>
    internal static ref double Element(double* data, int rows, int row, int lane)
    {
        var within = lane % TileKernel.Lanes<double>();
        return ref At(data, rows, row, lane - within)[within];
    }

    /// <summary>Copies values, widened, to the first lanes of a row.</summary>
    internal static void Write<T>(ReadOnlySpan<T> values, double* data, int rows, int row) where T : unmanaged
    {
        var width = TileKernel.Lanes<double>();
        for (var lane = 0; lane < values.Length; lane += width)
        {
            var part = values.Slice(lane, Math.Min(width, values.Length - lane));
            var target = new Span<double>(At(data, rows, row, lane), part.Length);
            if (typeof(T) == typeof(double) && part.Length == width)
            {
                ref var source = ref Unsafe.As<T, double>(ref MemoryMarshal.GetReference(part));
                Vector512.LoadUnsafe(ref source).Store(At(data, rows, row, lane));
                Vector512.LoadUnsafe(ref source, (nuint)(width / 2)).Store(At(data, rows, row, lane) + (width / 2));
                continue;
            }

            if (typeof(T) == typeof(double))
            {
                MemoryMarshal.Cast<T, double>(part).CopyTo(target);
                continue;
            }

            if (typeof(T) != typeof(float))
                throw new NotSupportedException($"A product of {typeof(T).Name} is not defined.");
            var narrow = MemoryMarshal.Cast<T, float>(part);
            for (var i = 0; i < target.Length; i++)
                target[i] = narrow[i];
        }
    }

    /// <summary>Copies the first lanes of a row.</summary>
    internal static void Read(double* data, int rows, int row, Span<double> values)
    {
        var width = TileKernel.Lanes<double>();
        for (var lane = 0; lane < values.Length; lane += width)
        {
            var part = values.Slice(lane, Math.Min(width, values.Length - lane));
            if (part.Length == width)
            {
                ref var target = ref MemoryMarshal.GetReference(part);
                Vector512.Load(At(data, rows, row, lane)).StoreUnsafe(ref target);
                Vector512.Load(At(data, rows, row, lane) + (width / 2)).StoreUnsafe(ref target, (nuint)(width / 2));
                continue;
            }

            new ReadOnlySpan<double>(At(data, rows, row, lane), part.Length).CopyTo(part);
        }
    }
}
