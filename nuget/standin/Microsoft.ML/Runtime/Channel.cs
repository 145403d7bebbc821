using System.Diagnostics;

namespace Microsoft.ML.Runtime;

/// <summary>A named source of log messages.</summary>
internal sealed class Channel : IChannel
{
    private readonly HostEnvironment _parent;
    private readonly string _name;
    private readonly Action<string, ChannelMessage> _listener;
    private readonly long _started = Stopwatch.GetTimestamp();
    private bool _disposed;

    public Channel(HostEnvironment parent, string name, Action<string, ChannelMessage> listener)
    {
        _parent = parent;
        _name = name;
        _listener = listener;
        Trace(MessageSensitivity.None, "Channel started");
    }

    public string ContextDescription => _parent.FullName is null ? _name : $"{_parent.FullName}; {_name}";

    public void Trace(MessageSensitivity sensitivity, string fmt) =>
        Send(new ChannelMessage(ChannelMessageKind.Trace, sensitivity, fmt));

    public void Trace(MessageSensitivity sensitivity, string fmt, params object[] args) =>
        Send(new ChannelMessage(ChannelMessageKind.Trace, sensitivity, fmt, args));

    public void Error(MessageSensitivity sensitivity, string fmt) =>
        Send(new ChannelMessage(ChannelMessageKind.Error, sensitivity, fmt));

    public void Error(MessageSensitivity sensitivity, string fmt, params object[] args) =>
        Send(new ChannelMessage(ChannelMessageKind.Error, sensitivity, fmt, args));

    public void Warning(MessageSensitivity sensitivity, string fmt) =>
        Send(new ChannelMessage(ChannelMessageKind.Warning, sensitivity, fmt));

    public void Warning(MessageSensitivity sensitivity, string fmt, params object[] args) =>
        Send(new ChannelMessage(ChannelMessageKind.Warning, sensitivity, fmt, args));

    public void Info(MessageSensitivity sensitivity, string fmt) =>
        Send(new ChannelMessage(ChannelMessageKind.Info, sensitivity, fmt));

    public void Info(MessageSensitivity sensitivity, string fmt, params object[] args) =>
        Send(new ChannelMessage(ChannelMessageKind.Info, sensitivity, fmt, args));

    public void Send(ChannelMessage msg) => _listener(ContextDescription, msg);

    public TException Process<TException>(TException ex)
        where TException : Exception
    {
        if (ex is not null)
        {
            ex.Data["Throwing component"] = _parent.ShortName;
            ex.Data["Parent component"] = _parent.ParentFullName;
            ex.Data["Phase"] = _name;
            Contracts.Mark(ex);
        }
        return ex;
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        Trace(MessageSensitivity.None, "Channel finished. Elapsed {0:c}.", Stopwatch.GetElapsedTime(_started));
        Trace(MessageSensitivity.None, "Channel disposed");
    }
}
