namespace Microsoft.ML.Runtime;

/// <summary>Adds context to an exception before it is thrown.</summary>
public interface IExceptionContext
{
    TException Process<TException>(TException ex)
        where TException : Exception;

    string ContextDescription { get; }
}

public interface IChannelProvider : IExceptionContext
{
    IChannel Start(string name);

    IPipe<TMessage> StartPipe<TMessage>(string name);
}

public interface IHostEnvironment : IChannelProvider, IProgressChannelProvider
{
    IHost Register(string name, int? seed = null, bool? verbose = null);

    ComponentCatalog ComponentCatalog { get; }
}

public interface IHost : IHostEnvironment
{
    Random Rand { get; }
}

/// <summary>What the library itself reads from an environment.</summary>
internal interface IHostEnvironmentInternal : IHostEnvironment
{
    int? Seed { get; }

    string TempFilePath { get; set; }

    bool FallbackToCpu { get; set; }

    int? GpuDeviceId { get; set; }

    bool TryAddOption<T>(string name, T value);

    void SetOption<T>(string name, T value);

    bool TryGetOption<T>(string name, out T value);

    T GetOptionOrDefault<T>(string name);

    bool RemoveOption(string name);
}
