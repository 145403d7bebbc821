using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Onnx;

/// <summary>Runs the model for the current row when its first output is asked for, and keeps the outputs for the others.</summary>
internal sealed class OnnxRowScorer(
    OnnxModel model, DataViewRow row, string[] inputNames, OnnxRowInput[] inputs, string[] outputNames) : IDisposable
{
    private IDisposableReadOnlyCollection<OrtValue> _outputs;
    private long _position = -1;

    public Delegate CreateGetter(OnnxVariable output)
    {
        if (output.Type is not VectorDataViewType vector)
        {
            throw Contracts.Except(
                $"The output '{output.Name}' of the ONNX model is a scalar without dimensions; give it the shape [1].");
        }
        int index = Array.IndexOf(outputNames, output.Name);
        return vector.ItemType is TextDataViewType
            ? CreateTextGetter(index)
            : TypeDispatch.Invoke(CreateNumericGetter<int>, vector.ItemType.RawType, index);
    }

    public void Dispose() => _outputs?.Dispose();

    private Delegate CreateNumericGetter<T>(int index)
        where T : unmanaged
    {
        ValueGetter<VBuffer<T>> getter = (ref VBuffer<T> dst) =>
        {
            ReadOnlySpan<T> values = Score(index).GetTensorDataAsSpan<T>();
            VBufferEditor<T> editor = VBufferEditor.Create(ref dst, values.Length);
            values.CopyTo(editor.Values);
            dst = editor.Commit();
        };
        return getter;
    }

    private ValueGetter<VBuffer<ReadOnlyMemory<char>>> CreateTextGetter(int index) =>
        (ref VBuffer<ReadOnlyMemory<char>> dst) =>
        {
            string[] values = Score(index).GetStringTensorAsArray();
            VBufferEditor<ReadOnlyMemory<char>> editor = VBufferEditor.Create(ref dst, values.Length);
            for (int i = 0; i < values.Length; i++)
                editor.Values[i] = values[i].AsMemory();
            dst = editor.Commit();
        };

    private OrtValue Score(int index)
    {
        if (_outputs is null || _position != row.Position)
        {
            _outputs?.Dispose();
            _outputs = null;
            _outputs = Run();
            _position = row.Position;
        }
        return _outputs[index];
    }

    private IDisposableReadOnlyCollection<OrtValue> Run()
    {
        var tensors = new List<OrtValue>(inputs.Length);
        try
        {
            foreach (OnnxRowInput input in inputs)
                tensors.Add(input.Read());
            return model.Run(inputNames, tensors, outputNames);
        }
        finally
        {
            foreach (OrtValue tensor in tensors)
                tensor.Dispose();
        }
    }
}
