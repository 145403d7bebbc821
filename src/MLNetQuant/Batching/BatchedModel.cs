using System.Numerics;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Runtime;
using MLNetQuant.Onnx;

namespace MLNetQuant.Batching;

/// <summary>
/// The model of one step, as its cursors share it: a session of its own, which runs batches, and what is known about
/// whether rows may be scored together.
/// </summary>
internal sealed class BatchedModel : IDisposable
{
    // Operators whose scales are those of the largest value that they meet, so of all rows of a batch.
    private static readonly string[] DynamicOperators = ["DynamicQuantizeLinear", "DynamicQuantizeMatMul", "DynamicQuantizeLSTM"];

    // Operators that round activations on scales that no other row decides; MatMulNBits does so block by block.
    private static readonly string[] RoundingOperators = ["QuantizeLinear", "MatMulNBits"];

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (int Ran, int NextTrial)> _batches = []; // by the outputs asked for
    private readonly RunOptions _options = new();
    private readonly bool _runsInOneSession;
    private readonly Dictionary<int, Lazy<InferenceSession>> _sessions = []; // by the threads of a run, 0 for ONNX Runtime's choice
    private readonly HashSet<IHostEnvironment> _listeners = [];
    private Func<int?, InferenceSession>? _open; // holds the model, until rows are scored one by one
    private string? _rowByRowReason;
    private int _calls; // that use the session now
    private bool _disposed;

    /// <param name="name">What messages call the step.</param>
    /// <param name="source">The model.</param>
    /// <param name="environment">Where messages go.</param>
    public BatchedModel(string name, BatchedModelSource source, IHostEnvironment? environment)
    {
        Name = name;
        Listen(environment);
        _runsInOneSession = source.RunsInOneSession;
        try
        {
            var step = source.Read();
            var model = step.Model;
            var open = source.Open;
            _open = threads => open(model, threads);
            Inputs = [.. model.Inputs.Where(i => i.IsColumn).Select(i => new BatchedModelInput(i, step.Shapes.GetValueOrDefault(i.Name)))];
            Outputs = model.Outputs;
            RoundsActivations = model.OperatorTypes.Any(RoundingOperators.Contains);
            DynamicOperator = model.OperatorTypes.FirstOrDefault(DynamicOperators.Contains);
            if (Inputs.FirstOrDefault(i => i.RowByRowReason is not null) is { RowByRowReason: { } reason })
                ScoreRowByRow(reason);
        }
        catch (QuantizationException e)
        {
            (Inputs, Outputs) = ([], []);
            ScoreRowByRow($"it cannot be read apart from its step ({e.Message})");
        }
    }

    /// <summary>What messages call the step.</summary>
    public string Name { get; }

    /// <summary>The inputs that its step feeds.</summary>
    public IReadOnlyList<BatchedModelInput> Inputs { get; }

    public IReadOnlyList<OnnxValueInfo> Outputs { get; }

    /// <summary>The operator that quantizes activations at run time, on a scale for all rows of a batch; null for none.</summary>
    public string? DynamicOperator { get; }

    /// <summary>Whether activations are rounded, row by row, so that sums in another order may end up a step apart.</summary>
    public bool RoundsActivations { get; }

    /// <summary>A sentence on why rows are scored one by one; null while they are scored in batches.</summary>
    public string? RowByRowReason => Volatile.Read(ref _rowByRowReason);

    /// <summary>Gives up batches.</summary>
    /// <param name="reason">Why, without the name of the step.</param>
    public void ScoreRowByRow(string reason)
    {
        var sentence = SentenceOf(reason);
        if (Interlocked.CompareExchange(ref _rowByRowReason, sentence, null) is not null)
            return;
        lock (_lock)
            _open = null;
        Tell(sentence);
    }

    /// <summary>A sentence on why rows are scored one by one.</summary>
    public string SentenceOf(string reason) => $"{Name}: rows are scored one by one, because {reason}.";

    /// <summary>How many batches of different rows have given these outputs, and whether one that begins now is to be tried.</summary>
    public (int Ran, bool IsTrial) BatchesOf(string outputs)
    {
        lock (_lock)
        {
            var (ran, nextTrial) = _batches.GetValueOrDefault(outputs);
            return (ran, ran >= nextTrial);
        }
    }

    /// <summary>One more has.</summary>
    /// <param name="outputs">The outputs.</param>
    /// <param name="tried">Whether it was tried: the next trial is then due after as many batches as there were till now, or
    /// fewer. Batches that run at the same time may pass that number; the one that begins then is tried.</param>
    public void Count(string outputs, bool tried)
    {
        lock (_lock)
        {
            var (ran, nextTrial) = _batches.GetValueOrDefault(outputs);
            ran++;
            _batches[outputs] = (ran, tried ? (int)BitOperations.RoundUpToPowerOf2((uint)ran) : nextTrial);
        }
    }

    /// <summary>How so many rows that are read ahead, of those that there are in all, are scored.</summary>
    public BatchPlan PlanOf(int rows, long? all) =>
        _runsInOneSession ? BatchPlan.OneByOne(rows) : BatchPlan.Of(rows, all, Environment.ProcessorCount);

    /// <summary>Opens the session whose runs use so many threads, or gives up batches, unless that has happened.</summary>
    /// <exception cref="ObjectDisposedException">The step is disposed of.</exception>
    public bool TryOpen(int? threads)
    {
        if (RowByRowReason is not null)
            return false;
        Enter();
        try
        {
            return Session(threads) is not null;
        }
        catch (Exception e) when (e is OnnxRuntimeException or QuantizationException)
        {
            ScoreRowByRow($"ONNX Runtime cannot open it apart from its step ({e.Message.ReplaceLineEndings(" ")})");
            return false;
        }
        finally
        {
            Leave();
        }
    }

    /// <param name="threads">Of the run; null for ONNX Runtime's choice.</param>
    /// <param name="inputs">Names of the inputs.</param>
    /// <param name="values">A tensor for each.</param>
    /// <param name="outputs">Names of the outputs.</param>
    /// <param name="options">Options of the run; null for one whose failure ONNX Runtime tells.</param>
    /// <exception cref="OnnxRuntimeException">The run failed.</exception>
    /// <exception cref="ObjectDisposedException">The step is disposed of.</exception>
    public IDisposableReadOnlyCollection<OrtValue> Run(
        int? threads, IReadOnlyCollection<string> inputs, IReadOnlyCollection<OrtValue> values, IReadOnlyCollection<string> outputs, RunOptions? options)
    {
        Enter();
        try
        {
            return Session(threads)!.Run(options ?? _options, inputs, values, outputs);
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Refuses a step that is gone: its session, or its step's, must not reach ONNX Runtime, which would end the process.</summary>
    /// <exception cref="ObjectDisposedException">The step is disposed of.</exception>
    public void RefuseDisposed()
    {
        lock (_lock)
            ObjectDisposedException.ThrowIf(_disposed, this);
    }

    /// <summary>Lets a context know too: of what is known already, and of what follows.</summary>
    public void Listen(IHostEnvironment? environment)
    {
        if (environment is null)
            return;
        bool added;
        lock (_lock)
            added = _listeners.Add(environment);
        if (added && RowByRowReason is { } sentence)
            Tell(environment, sentence, ChannelMessageKind.Warning);
    }

    /// <summary>Tells the logs of all contexts.</summary>
    /// <param name="sentence">What.</param>
    /// <param name="kind">A warning, or information.</param>
    public void Tell(string sentence, ChannelMessageKind kind = ChannelMessageKind.Warning)
    {
        IHostEnvironment[] listeners;
        lock (_lock)
            listeners = [.. _listeners];
        foreach (var listener in listeners)
            Tell(listener, sentence, kind);
    }

    /// <summary>Releases the session, once the runs that are under way have ended.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            _disposed = true;
            if (_calls > 0)
                return;
        }

        Release();
    }

    /// <summary>The session for so many threads; once rows are scored one by one, any that is open, or null.</summary>
    private InferenceSession? Session(int? threads)
    {
        Lazy<InferenceSession>? session;
        lock (_lock)
        {
            if (!_sessions.TryGetValue(threads ?? 0, out session))
            {
                if (_open is { } open)
                    _sessions.Add(threads ?? 0, session = new(() => open(threads)));
                else
                    session = _sessions.Values.FirstOrDefault(s => s.IsValueCreated);
            }
        }

        return session?.Value;
    }

    private void Enter()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _calls++;
        }
    }

    private void Leave()
    {
        lock (_lock)
        {
            if (--_calls > 0 || !_disposed)
                return;
        }

        Release();
    }

    private void Release()
    {
        foreach (var session in _sessions.Values.Where(s => s.IsValueCreated))
            session.Value.Dispose();
        _open = null;
        _options.Dispose();
    }

    private static void Tell(IHostEnvironment environment, string sentence, ChannelMessageKind kind)
    {
        // With a seed of its own: without, the context's next one would be drawn for it.
        using var channel = environment.Register("MLNetQuant", seed: 0).Start("Batched scoring");
        if (kind == ChannelMessageKind.Warning)
            channel.Warning(MessageSensitivity.None, sentence);
        else
            channel.Info(MessageSensitivity.None, sentence);
    }
}
