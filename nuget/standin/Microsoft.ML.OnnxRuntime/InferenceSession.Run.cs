using Microsoft.ML.OnnxRuntime.Native;

namespace Microsoft.ML.OnnxRuntime;

public unsafe partial class InferenceSession
{
    /// <summary>Runs the model; the outputs come in the order of <paramref name="outputNames"/>.</summary>
    /// <exception cref="OnnxRuntimeException">An unknown name, or the run failed.</exception>
    public IDisposableReadOnlyCollection<OrtValue> Run(
        RunOptions runOptions, IReadOnlyDictionary<string, OrtValue> inputs, IReadOnlyCollection<string> outputNames)
    {
        ArgumentNullException.ThrowIfNull(runOptions);
        var inputNames = new nint[inputs.Count];
        var inputValues = new nint[inputs.Count];
        var i = 0;
        foreach (var (name, value) in inputs)
        {
            inputNames[i] = Input(name);
            inputValues[i++] = value.Handle;
        }
        var outputs = Run(runOptions, inputNames, inputValues, Names(outputNames, Output));
        GC.KeepAlive(inputs);
        return outputs;
    }

    /// <summary>Runs the model; the outputs come in the order of <paramref name="outputNames"/>.</summary>
    /// <exception cref="ArgumentException">Names and values differ in number.</exception>
    /// <exception cref="OnnxRuntimeException">An unknown name, or the run failed.</exception>
    public IDisposableReadOnlyCollection<OrtValue> Run(
        RunOptions runOptions,
        IReadOnlyCollection<string> inputNames,
        IReadOnlyCollection<OrtValue> inputValues,
        IReadOnlyCollection<string> outputNames)
    {
        ArgumentNullException.ThrowIfNull(runOptions);
        CheckCounts(inputNames.Count, nameof(inputNames), inputValues.Count, nameof(inputValues));
        var outputs = Run(runOptions, Names(inputNames, Input), Handles(inputValues), Names(outputNames, Output));
        GC.KeepAlive(inputValues);
        return outputs;
    }

    /// <summary>Runs the model into tensors that the caller made, of the right types and shapes.</summary>
    /// <exception cref="ArgumentException">Names and values differ in number.</exception>
    /// <exception cref="OnnxRuntimeException">An unknown name, or the run failed.</exception>
    public void Run(
        RunOptions? runOptions,
        IReadOnlyCollection<string> inputNames,
        IReadOnlyCollection<OrtValue> inputValues,
        IReadOnlyCollection<string> outputNames,
        IReadOnlyCollection<OrtValue> outputValues)
    {
        CheckCounts(inputNames.Count, nameof(inputNames), inputValues.Count, nameof(inputValues));
        CheckCounts(outputNames.Count, nameof(outputNames), outputValues.Count, nameof(outputValues));
        NativeStatus.Check(RunNative(
            runOptions ?? _defaultRunOptions,
            Names(inputNames, Input),
            Handles(inputValues),
            Names(outputNames, Output),
            Handles(outputValues)));
        GC.KeepAlive(inputValues);
        GC.KeepAlive(outputValues);
    }

    private DisposableList<OrtValue> Run(RunOptions runOptions, nint[] inputNames, nint[] inputValues, nint[] outputNames)
    {
        var values = new nint[outputNames.Length];
        var outputs = new DisposableList<OrtValue>(values.Length);
        var owned = 0;
        try
        {
            NativeStatus.Check(RunNative(runOptions, inputNames, inputValues, outputNames, values));
            for (; owned < values.Length; owned++)
                outputs.Add(new OrtValue(values[owned]));
            return outputs;
        }
        catch
        {
            outputs.Dispose();
            foreach (var value in values.AsSpan(owned))
            {
                if (value != 0)
                    OrtApi.ReleaseValue(value);
            }
            throw;
        }
    }

    private nint RunNative(RunOptions runOptions, nint[] inputNames, nint[] inputs, nint[] outputNames, nint[] outputs)
    {
        nint status;
        fixed (nint* inputName = inputNames, input = inputs, outputName = outputNames, output = outputs)
        {
            status = OrtApi.Run(
                Handle, runOptions.Handle, inputName, input, (nuint)inputs.Length,
                outputName, (nuint)outputs.Length, output);
        }
        GC.KeepAlive(runOptions);
        GC.KeepAlive(this);
        return status;
    }

    private nint Input(string name) =>
        _inputMetadata.TryGetValue(name, out var metadata)
        || _overridableInitializerMetadata.TryGetValue(name, out metadata)
            ? metadata.ZeroTerminatedName
            : throw new OnnxRuntimeException(ErrorCode.InvalidArgument, $"Input name: '{name}' is not in the metadata");

    private nint Output(string name) =>
        _outputMetadata.TryGetValue(name, out var metadata)
            ? metadata.ZeroTerminatedName
            : throw new OnnxRuntimeException(ErrorCode.InvalidArgument, $"Output name: '{name}' is not in the metadata");

    private static nint[] Names(IReadOnlyCollection<string> names, Func<string, nint> find)
    {
        var found = new nint[names.Count];
        var i = 0;
        foreach (var name in names)
            found[i++] = find(name);
        return found;
    }

    private static nint[] Handles(IReadOnlyCollection<OrtValue> values)
    {
        var handles = new nint[values.Count];
        var i = 0;
        foreach (var value in values)
            handles[i++] = value.Handle;
        return handles;
    }

    private static void CheckCounts(int names, string nameOfNames, int values, string nameOfValues)
    {
        if (names != values)
            throw new ArgumentException($"Length of {nameOfNames} ({names}) must match that of {nameOfValues} ({values}).");
    }
}
