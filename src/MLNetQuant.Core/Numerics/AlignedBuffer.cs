using System.Runtime.InteropServices;

namespace MLNetQuant.Numerics;

/// <summary>Scratch memory on a cache-line boundary, zeroed, so that no vector load straddles two lines.</summary>
internal sealed unsafe class AlignedBuffer<T> : IDisposable where T : unmanaged
{
    private const int CacheLine = 64;

    public AlignedBuffer(long length)
    {
        var bytes = (nuint)Math.Max(1, length) * (nuint)sizeof(T);
        Pointer = (T*)NativeMemory.AlignedAlloc(bytes, CacheLine);
        NativeMemory.Clear(Pointer, bytes);
        GC.AddMemoryPressure((long)bytes);
        _bytes = (long)bytes;
    }

    ~AlignedBuffer() => Free();

    public T* Pointer { get; private set; }

    private readonly long _bytes;

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (Pointer == null)
            return;
        NativeMemory.AlignedFree(Pointer);
        Pointer = null;
        GC.RemoveMemoryPressure(_bytes);
    }
}
