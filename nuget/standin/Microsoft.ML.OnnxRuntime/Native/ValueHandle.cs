using System.Buffers;
using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime.Native;

/// <summary>A native value, together with the pin on the managed memory it reads and writes.</summary>
internal sealed unsafe class ValueHandle : SafeHandle
{
    private MemoryHandle _pin;

    public ValueHandle(nint value, MemoryHandle pin = default)
        : base(0, ownsHandle: true)
    {
        _pin = pin;
        SetHandle(value);
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        OrtApi.ReleaseValue(handle);
        handle = 0;
        _pin.Dispose();
        return true;
    }
}
