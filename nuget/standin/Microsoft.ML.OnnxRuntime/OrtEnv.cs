using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Native;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>The environment of the process: created at first use, one only.</summary>
public sealed unsafe class OrtEnv : SafeHandle
{
    private const int CSharpProjection = 2;

    private static readonly Lazy<OrtEnv> Singleton = new(() => new OrtEnv(OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING));

    private OrtLoggingLevel _envLogLevel;

    private OrtEnv(OrtLoggingLevel logLevel)
        : base(0, ownsHandle: true)
    {
        nint created;
        fixed (byte* logId = "CSharpOnnxRuntime"u8)
            NativeStatus.Check(OrtApi.CreateEnv((int)logLevel, logId, &created));
        SetHandle(created);
        _envLogLevel = logLevel;
        try
        {
            NativeStatus.Check(OrtApi.SetLanguageProjection(created, CSharpProjection));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The one environment.</summary>
    public static OrtEnv Instance() => Singleton.Value;

    /// <summary>Whether the environment exists already.</summary>
    public static bool IsCreated => Singleton.IsValueCreated;

    /// <summary>The level below which messages are dropped; warnings by default.</summary>
    public OrtLoggingLevel EnvLogLevel
    {
        get => _envLogLevel;
        set
        {
            NativeStatus.Check(OrtApi.UpdateEnvWithCustomLogLevel(Handle, (int)value));
            _envLogLevel = value;
        }
    }

    /// <summary>The version of the native library.</summary>
    public string GetVersionString() => OrtApi.LibraryVersion;

    /// <summary>The execution providers that the native library was built with.</summary>
    public string[] GetAvailableProviders()
    {
        byte** providers;
        int count;
        NativeStatus.Check(OrtApi.GetAvailableProviders(&providers, &count));
        try
        {
            var names = new string[count];
            for (var i = 0; i < count; i++)
                names[i] = NativeText.Read(providers[i]);
            return names;
        }
        finally
        {
            NativeStatus.Check(OrtApi.ReleaseAvailableProviders(providers, count));
        }
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    internal nint Handle
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return handle;
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        OrtApi.ReleaseEnv(handle);
        handle = 0;
        return true;
    }
}
