using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Native;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>Options for creating a session.</summary>
public unsafe class SessionOptions : SafeHandle
{
    private bool _enableMemoryPattern = true;
    private bool _enableCpuMemArena = true;
    private bool _enableProfiling;
    private string _optimizedModelFilePath = "";
    private string _logId = "";
    private OrtLoggingLevel _logSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING;
    private int _logVerbosityLevel;
    private int _intraOpNumThreads;
    private int _interOpNumThreads;
    private GraphOptimizationLevel _graphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL;
    private ExecutionMode _executionMode = ExecutionMode.ORT_SEQUENTIAL;

    public SessionOptions()
        : base(0, ownsHandle: true)
    {
        nint created;
        NativeStatus.Check(OrtApi.CreateSessionOptions(&created));
        SetHandle(created);
        OrtEnv.Instance();
    }

    /// <summary>Plans memory from the first run's pattern of allocations; on by default.</summary>
    public bool EnableMemoryPattern
    {
        get => _enableMemoryPattern;
        set
        {
            if (value == _enableMemoryPattern)
                return;
            NativeStatus.Check(value ? OrtApi.EnableMemPattern(Handle) : OrtApi.DisableMemPattern(Handle));
            _enableMemoryPattern = value;
        }
    }

    /// <summary>Keeps freed memory for later runs; on by default.</summary>
    public bool EnableCpuMemArena
    {
        get => _enableCpuMemArena;
        set
        {
            if (value == _enableCpuMemArena)
                return;
            NativeStatus.Check(value ? OrtApi.EnableCpuMemArena(Handle) : OrtApi.DisableCpuMemArena(Handle));
            _enableCpuMemArena = value;
        }
    }

    /// <summary>The path that profile files begin with.</summary>
    public string ProfileOutputPathPrefix { get; set; } = "onnxruntime_profile_";

    /// <summary>Writes a profile of the session's runs; off by default.</summary>
    public bool EnableProfiling
    {
        get => _enableProfiling;
        set
        {
            if (value == _enableProfiling)
                return;
            fixed (byte* prefix = NativeText.Path(ProfileOutputPathPrefix))
                NativeStatus.Check(value ? OrtApi.EnableProfiling(Handle, prefix) : OrtApi.DisableProfiling(Handle));
            _enableProfiling = value;
        }
    }

    /// <summary>Where to write the graph as rewritten; empty (the default) for nowhere.</summary>
    public string OptimizedModelFilePath
    {
        get => _optimizedModelFilePath;
        set
        {
            if (value == _optimizedModelFilePath)
                return;
            fixed (byte* path = NativeText.Path(value))
                NativeStatus.Check(OrtApi.SetOptimizedModelFilePath(Handle, path));
            _optimizedModelFilePath = value;
        }
    }

    public string LogId
    {
        get => _logId;
        set
        {
            fixed (byte* id = NativeText.Utf8(value))
                NativeStatus.Check(OrtApi.SetSessionLogId(Handle, id));
            _logId = value;
        }
    }

    public OrtLoggingLevel LogSeverityLevel
    {
        get => _logSeverityLevel;
        set
        {
            NativeStatus.Check(OrtApi.SetSessionLogSeverityLevel(Handle, (int)value));
            _logSeverityLevel = value;
        }
    }

    public int LogVerbosityLevel
    {
        get => _logVerbosityLevel;
        set
        {
            NativeStatus.Check(OrtApi.SetSessionLogVerbosityLevel(Handle, value));
            _logVerbosityLevel = value;
        }
    }

    /// <summary>Threads within a node; 0 (the default) leaves it to the library.</summary>
    public int IntraOpNumThreads
    {
        get => _intraOpNumThreads;
        set
        {
            NativeStatus.Check(OrtApi.SetIntraOpNumThreads(Handle, value));
            _intraOpNumThreads = value;
        }
    }

    /// <summary>Threads across nodes, for <see cref="ExecutionMode.ORT_PARALLEL"/>; 0 leaves it to the library.</summary>
    public int InterOpNumThreads
    {
        get => _interOpNumThreads;
        set
        {
            NativeStatus.Check(OrtApi.SetInterOpNumThreads(Handle, value));
            _interOpNumThreads = value;
        }
    }

    public GraphOptimizationLevel GraphOptimizationLevel
    {
        get => _graphOptimizationLevel;
        set
        {
            NativeStatus.Check(OrtApi.SetSessionGraphOptimizationLevel(Handle, (int)value));
            _graphOptimizationLevel = value;
        }
    }

    public ExecutionMode ExecutionMode
    {
        get => _executionMode;
        set
        {
            NativeStatus.Check(OrtApi.SetSessionExecutionMode(Handle, (int)value));
            _executionMode = value;
        }
    }

    public void AddSessionConfigEntry(string configKey, string configValue)
    {
        fixed (byte* key = NativeText.Utf8(configKey), value = NativeText.Utf8(configValue))
            NativeStatus.Check(OrtApi.AddSessionConfigEntry(Handle, key, value));
    }

    /// <summary>Runs on a CUDA device what it can run; the native library refuses where it has no such device.</summary>
    public void AppendExecutionProvider_CUDA(int deviceId = 0) =>
        NativeStatus.Check(OrtApi.AppendExecutionProviderCuda(Handle, deviceId));

    /// <summary>Fixes a symbolic dimension, named <paramref name="dimName"/>, for the session.</summary>
    public void AddFreeDimensionOverrideByName(string dimName, long dimValue)
    {
        fixed (byte* name = NativeText.Utf8(dimName))
            NativeStatus.Check(OrtApi.AddFreeDimensionOverrideByName(Handle, name, dimValue));
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
        OrtApi.ReleaseSessionOptions(handle);
        handle = 0;
        return true;
    }
}
