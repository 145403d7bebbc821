using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using MLNetQuant.Batching;
using MLNetQuant.Onnx;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;
using DataType = MLNetQuant.Onnx.Proto.TensorProto.Types.DataType;

namespace MLNetQuant.Tests.Batching;

/// <summary>The values of the rows that were read, in a buffer that grows with them, and tensors over it.</summary>
public sealed class BatchInputTests : IDisposable
{
    private readonly ScratchFolder _folder = new();
    private readonly MLContext _ml = new(seed: 1);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Rows_stay_what_they_were_when_the_buffer_grows_and_tensors_are_of_the_new_one()
    {
        var rows = SmallModels.Rows(1000, 4);
        var data = _ml.Data.LoadFromEnumerable(rows.Select(x => new Row { X = x }));
        using var cursor = data.GetRowCursor(data.Schema);
        using var input = Bind(cursor, data.Schema["x"], -1, 4);
        Read(cursor, input, 16);
        var tensor = input.Tensor(0, 0, 16);
        var alone = input.Tensor(-1, 7, 1);
        Assert.Equal(rows.Take(16).SelectMany(x => x), Values(tensor));
        Assert.Same(tensor, input.Tensor(0, 0, 16));

        Read(cursor, input, 900);
        Assert.Equal(4 * 916, input.Values);
        Assert.Equal(rows.Take(916).SelectMany(x => x), Values(input.Tensor(0, 0, 916)));
        Assert.Equal(rows[7], Values(input.Tensor(-1, 7, 1)));
        Assert.NotSame(alone, input.Tensor(-1, 7, 1)); // it was of memory that others have now
        Assert.NotSame(tensor, input.Tensor(0, 0, 16));

        // The next rows take the same places, and tensors show them.
        tensor = input.Tensor(0, 0, 50);
        input.Clear();
        Read(cursor, input, 50);
        Assert.Same(tensor, input.Tensor(0, 0, 50));
        Assert.Equal(rows.Skip(916).Take(50).SelectMany(x => x), Values(tensor));
        Assert.True(input.AreEqual(3, 3));
        Assert.False(input.AreEqual(3, 4));
    }

    [Fact]
    public void Rows_of_any_length_stay_what_they_were_too()
    {
        float[][] rows = [.. Enumerable.Range(0, 300).Select(i => Enumerable.Range(0, i * i % 50).Select(k => (float)((100 * i) + k)).ToArray())];
        var data = _ml.Data.LoadFromEnumerable(rows.Select(x => new Open { X = x }));
        using var cursor = data.GetRowCursor(data.Schema);
        using var input = Bind(cursor, data.Schema["x"], -1, -1);
        for (var count = 0; count < rows.Length; count += 20)
        {
            Read(cursor, input, 20);
            for (var row = 0; row < count + 20; row++)
            {
                Assert.Equal(rows[row].Length, input.WidthOf(row));
                if (rows[row].Length > 0)
                    Assert.Equal(rows[row], Values(input.Tensor(0, row, 1)));
            }
        }

        Assert.Equal(rows.Sum(r => r.Length), input.Values);
    }

    private BatchInput Bind(DataViewRow source, DataViewSchema.Column column, params long[] shape)
    {
        var file = new ModelFile().Input("x", DataType.Float, shape).Node("Relu", "y", "x").Output("y", shape).Save(_folder["x.onnx"]);
        var input = BatchInput.Create(InputBinding.Create(new(OnnxModel.Load(file).Inputs[0], given: null), column)!);
        input.Bind(source);
        return input;
    }

    private static void Read(DataViewRowCursor cursor, BatchInput input, int rows)
    {
        for (var row = 0; row < rows; row++)
        {
            Assert.True(cursor.MoveNext());
            input.Read();
        }
    }

    private static float[] Values(OrtValue tensor) => tensor.GetTensorDataAsSpan<float>().ToArray();

    private sealed class Row
    {
        [VectorType(4)]
        [ColumnName("x")]
        public float[] X { get; set; } = [];
    }

    private sealed class Open
    {
        [ColumnName("x")]
        public float[] X { get; set; } = [];
    }
}
