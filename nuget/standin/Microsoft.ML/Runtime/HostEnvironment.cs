namespace Microsoft.ML.Runtime;

/// <summary>
/// The root environment of an <see cref="MLContext"/> and, registered below it, the hosts of its components.
/// </summary>
internal class HostEnvironment : IHostEnvironmentInternal
{
    private readonly HostEnvironment _parent;
    private readonly Action<string, ChannelMessage> _listener;
    private readonly Random _rand;
    private readonly Lock _registering = new();
    private readonly Dictionary<string, object> _options = [];

    public HostEnvironment(int? seed, Action<string, ChannelMessage> listener)
    {
        Seed = seed;
        ComponentCatalog = new ComponentCatalog();
        _rand = seed is int value ? new TauswortheHybrid(value) : new TauswortheHybrid(new Random());
        _listener = listener;
    }

    private HostEnvironment(HostEnvironment parent, string name, string parentFullName, Random rand)
    {
        Seed = parent.Seed;
        GpuDeviceId = parent.GpuDeviceId;
        FallbackToCpu = parent.FallbackToCpu;
        ComponentCatalog = parent.ComponentCatalog;
        ShortName = name;
        ParentFullName = string.IsNullOrEmpty(parentFullName) ? null : parentFullName;
        _parent = parent;
        _rand = rand;
        _listener = parent._listener;
    }

    public string ShortName { get; }

    public string ParentFullName { get; }

    public string FullName => ParentFullName is null ? ShortName : $"{ParentFullName}; {ShortName}";

    public int? Seed { get; }

    public string TempFilePath { get; set; } = Path.GetTempPath();

    public bool FallbackToCpu { get; set; }

    public int? GpuDeviceId { get; set; }

    public ComponentCatalog ComponentCatalog { get; }

    public string ContextDescription => "HostEnvironment";

    public IHost Register(string name, int? seed = null, bool? verbose = null)
    {
        Contracts.CheckNonEmpty(name, nameof(name));
        lock (_registering)
        {
            Random rand = seed is int value ? new TauswortheHybrid(value) : new TauswortheHybrid(_rand);
            // As in ML.NET a host is named after its grandparent, and only the root hands its temporary path down.
            var host = new Host(this, name, _parent?.FullName, rand);
            if (_parent is null)
                host.TempFilePath = TempFilePath;
            return host;
        }
    }

    public IChannel Start(string name) => new Channel(this, name, _listener);

    public IPipe<TMessage> StartPipe<TMessage>(string name) => new UnheardPipe<TMessage>(this);

    public IProgressChannel StartProgressChannel(string name) => new SilentProgressChannel().StartProgressChannel(name);

    public TException Process<TException>(TException ex)
        where TException : Exception
    {
        if (ex is not null)
        {
            ex.Data["Throwing component"] = "Environment";
            Contracts.Mark(ex);
        }
        return ex;
    }

    public bool TryAddOption<T>(string name, T value)
    {
        CheckOptionName(name);
        return _options.TryAdd(name, value);
    }

    public void SetOption<T>(string name, T value)
    {
        CheckOptionName(name);
        _options[name] = value;
    }

    public bool TryGetOption<T>(string name, out T value)
    {
        CheckOptionName(name);
        bool found = _options.TryGetValue(name, out object stored) && stored is T;
        value = found ? (T)stored : default;
        return found;
    }

    public T GetOptionOrDefault<T>(string name)
    {
        TryAddOption<T>(name, default);
        return (T)_options[name];
    }

    public bool RemoveOption(string name)
    {
        CheckOptionName(name);
        return _options.Remove(name);
    }

    private static void CheckOptionName(string name)
    {
        if (string.IsNullOrWhiteSpace(name))
            throw new ArgumentNullException(nameof(name));
    }

    private sealed class Host(HostEnvironment parent, string name, string parentFullName, Random rand)
        : HostEnvironment(parent, name, parentFullName, rand), IHost
    {
        public Random Rand { get; } = rand;
    }

    private sealed class UnheardPipe<TMessage>(HostEnvironment parent) : IPipe<TMessage>
    {
        public string ContextDescription => parent.FullName;

        public TException Process<TException>(TException ex)
            where TException : Exception => parent.Process(ex);

        public void Send(TMessage msg)
        {
        }

        public void Dispose()
        {
        }
    }
}
