using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Native;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>Where a value's memory is; here always the CPU's.</summary>
public unsafe class OrtMemoryInfo : SafeHandle
{
    private const int DeviceAllocator = 0;
    private const int CpuOutput = -1;

    private static readonly Lazy<OrtMemoryInfo> Cpu = new(() => new OrtMemoryInfo());

    private OrtMemoryInfo()
        : base(0, ownsHandle: true)
    {
        nint created;
        NativeStatus.Check(OrtApi.CreateCpuMemoryInfo(DeviceAllocator, CpuOutput, &created));
        SetHandle(created);
    }

    /// <summary>Memory of the CPU.</summary>
    public static OrtMemoryInfo DefaultInstance => Cpu.Value;

    internal nint Pointer => handle;

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        OrtApi.ReleaseMemoryInfo(handle);
        handle = 0;
        return true;
    }
}
