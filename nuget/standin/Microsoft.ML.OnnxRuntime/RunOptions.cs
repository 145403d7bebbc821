using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Native;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>Options of one or several runs.</summary>
public unsafe class RunOptions : SafeHandle
{
    private OrtLoggingLevel _logSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING;
    private int _logVerbosityLevel;
    private string _logId = "";
    private bool _terminate;

    public RunOptions()
        : base(0, ownsHandle: true)
    {
        nint created;
        NativeStatus.Check(OrtApi.CreateRunOptions(&created));
        SetHandle(created);
    }

    public OrtLoggingLevel LogSeverityLevel
    {
        get => _logSeverityLevel;
        set
        {
            NativeStatus.Check(OrtApi.RunOptionsSetRunLogSeverityLevel(Handle, (int)value));
            _logSeverityLevel = value;
        }
    }

    public int LogVerbosityLevel
    {
        get => _logVerbosityLevel;
        set
        {
            NativeStatus.Check(OrtApi.RunOptionsSetRunLogVerbosityLevel(Handle, value));
            _logVerbosityLevel = value;
        }
    }

    /// <summary>The tag of these runs in log messages.</summary>
    public string LogId
    {
        get => _logId;
        set
        {
            fixed (byte* tag = NativeText.Utf8(value))
                NativeStatus.Check(OrtApi.RunOptionsSetRunTag(Handle, tag));
            _logId = value;
        }
    }

    /// <summary>Set from another thread, ends the runs that use these options as soon as possible.</summary>
    public bool Terminate
    {
        get => _terminate;
        set
        {
            if (value == _terminate)
                return;
            NativeStatus.Check(value ? OrtApi.RunOptionsSetTerminate(Handle) : OrtApi.RunOptionsUnsetTerminate(Handle));
            _terminate = value;
        }
    }

    public void AddRunConfigEntry(string configKey, string configValue)
    {
        fixed (byte* key = NativeText.Utf8(configKey), value = NativeText.Utf8(configValue))
            NativeStatus.Check(OrtApi.AddRunConfigEntry(Handle, key, value));
    }

    internal nint Handle
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return handle;
        }
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        OrtApi.ReleaseRunOptions(handle);
        handle = 0;
        return true;
    }
}
