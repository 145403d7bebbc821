using Microsoft.ML.OnnxRuntime.Native;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>A loaded model. Runs may be concurrent.</summary>
public unsafe partial class InferenceSession : IDisposable
{
    private readonly SessionHandle _session;
    private readonly RunOptions _defaultRunOptions;
    private readonly List<string> _inputNames = [];
    private readonly List<string> _outputNames = [];
    private readonly Dictionary<string, NodeMetadata> _inputMetadata = [];
    private readonly Dictionary<string, NodeMetadata> _outputMetadata = [];
    private readonly Dictionary<string, NodeMetadata> _overridableInitializerMetadata = [];
    private ModelMetadata? _modelMetadata;

    /// <exception cref="OnnxRuntimeException">The file cannot be read or holds no valid model.</exception>
    public InferenceSession(string modelPath)
        : this(CreateWithDefaultOptions(options => Create(modelPath, options)))
    {
    }

    /// <inheritdoc cref="InferenceSession(string)"/>
    public InferenceSession(string modelPath, SessionOptions options)
        : this(Create(modelPath, options))
    {
    }

    /// <exception cref="OnnxRuntimeException">The bytes are no valid model.</exception>
    public InferenceSession(byte[] model)
        : this(CreateWithDefaultOptions(options => Create(model, options)))
    {
    }

    /// <inheritdoc cref="InferenceSession(byte[])"/>
    public InferenceSession(byte[] model, SessionOptions options)
        : this(Create(model, options))
    {
    }

    private InferenceSession(SessionHandle session)
    {
        _session = session;
        try
        {
            var native = session.DangerousGetHandle();
            Describe(Count(native, OrtApi.SessionGetInputCount), OrtApi.SessionGetInputName,
                OrtApi.SessionGetInputTypeInfo, _inputNames, _inputMetadata);
            Describe(Count(native, OrtApi.SessionGetOutputCount), OrtApi.SessionGetOutputName,
                OrtApi.SessionGetOutputTypeInfo, _outputNames, _outputMetadata);
            Describe(Count(native, OrtApi.SessionGetOverridableInitializerCount),
                OrtApi.SessionGetOverridableInitializerName,
                OrtApi.SessionGetOverridableInitializerTypeInfo, [], _overridableInitializerMetadata);
            _defaultRunOptions = new RunOptions();
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    public IReadOnlyDictionary<string, NodeMetadata> InputMetadata => _inputMetadata;

    public IReadOnlyDictionary<string, NodeMetadata> OutputMetadata => _outputMetadata;

    /// <summary>Initializers that a run may replace, because the model lists them as inputs too.</summary>
    public IReadOnlyDictionary<string, NodeMetadata> OverridableInitializerMetadata => _overridableInitializerMetadata;

    /// <summary>Inputs in the model's order.</summary>
    public IReadOnlyList<string> InputNames => _inputNames;

    /// <summary>Outputs in the model's order.</summary>
    public IReadOnlyList<string> OutputNames => _outputNames;

    public ModelMetadata ModelMetadata => _modelMetadata ??= new ModelMetadata(Handle);

    /// <summary>Ends profiling and returns the name of the profile file.</summary>
    public string EndProfiling()
    {
        var allocator = OrtAllocator.DefaultInstance.Pointer;
        byte* file;
        NativeStatus.Check(OrtApi.SessionEndProfiling(Handle, allocator, &file));
        return NativeText.Take(file, allocator);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (!disposing)
            return;
        _defaultRunOptions.Dispose();
        _session.Dispose();
    }

    private nint Handle
    {
        get
        {
            ObjectDisposedException.ThrowIf(_session.IsClosed, this);
            return _session.DangerousGetHandle();
        }
    }

    private static SessionHandle CreateWithDefaultOptions(Func<SessionOptions, SessionHandle> create)
    {
        using var options = new SessionOptions();
        return create(options);
    }

    private static SessionHandle Create(string modelPath, SessionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        nint session;
        fixed (byte* path = NativeText.Path(modelPath))
            NativeStatus.Check(OrtApi.CreateSession(OrtEnv.Instance().Handle, path, options.Handle, &session));
        return new SessionHandle(session);
    }

    private static SessionHandle Create(byte[] model, SessionOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        nint session;
        fixed (byte* bytes = model)
        {
            NativeStatus.Check(OrtApi.CreateSessionFromArray(
                OrtEnv.Instance().Handle, bytes, (nuint)model.Length, options.Handle, &session));
        }
        return new SessionHandle(session);
    }

    private static int Count(nint session, delegate* unmanaged<nint, nuint*, nint> get)
    {
        nuint count;
        NativeStatus.Check(get(session, &count));
        return (int)count;
    }

    private void Describe(
        int count,
        delegate* unmanaged<nint, nuint, nint, byte**, nint> getName,
        delegate* unmanaged<nint, nuint, nint*, nint> getType,
        List<string> names,
        Dictionary<string, NodeMetadata> metadata)
    {
        var allocator = OrtAllocator.DefaultInstance.Pointer;
        var session = _session.DangerousGetHandle();
        for (var i = 0; i < count; i++)
        {
            byte* text;
            NativeStatus.Check(getName(session, (nuint)i, allocator, &text));
            var name = NativeText.Take(text, allocator);
            nint type;
            NativeStatus.Check(getType(session, (nuint)i, &type));
            try
            {
                metadata[name] = new NodeMetadata(type, _session.Keep(name));
            }
            finally
            {
                OrtApi.ReleaseTypeInfo(type);
            }
            names.Add(name);
        }
    }
}
