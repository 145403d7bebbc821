using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Native;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>The allocator of the native library, for values whose memory it owns.</summary>
public unsafe class OrtAllocator : SafeHandle
{
    private static readonly Lazy<OrtAllocator> Cpu = new(() => new OrtAllocator());

    private OrtAllocator()
        : base(0, ownsHandle: false)
    {
        // A native singleton: never released.
        nint allocator;
        NativeStatus.Check(OrtApi.GetAllocatorWithDefaultOptions(&allocator));
        SetHandle(allocator);
    }

    /// <summary>The default allocator of the CPU.</summary>
    public static OrtAllocator DefaultInstance => Cpu.Value;

    internal nint Pointer => handle;

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => true;
}
