using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime.Native;

/// <summary>A native session, together with the names of its inputs and outputs as native strings.</summary>
internal sealed unsafe class SessionHandle : SafeHandle
{
    private readonly List<nint> _names = [];

    public SessionHandle(nint session)
        : base(0, ownsHandle: true) => SetHandle(session);

    public override bool IsInvalid => handle == 0;

    /// <summary>A native copy of <paramref name="name"/> that lives as long as the session.</summary>
    public nint Keep(string name)
    {
        var copy = Marshal.StringToCoTaskMemUTF8(name);
        _names.Add(copy);
        return copy;
    }

    protected override bool ReleaseHandle()
    {
        OrtApi.ReleaseSession(handle);
        handle = 0;
        foreach (var name in _names)
            Marshal.FreeCoTaskMem(name);
        _names.Clear();
        return true;
    }
}
