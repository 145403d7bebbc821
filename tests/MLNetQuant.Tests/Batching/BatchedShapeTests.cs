using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;
using DataType = MLNetQuant.Onnx.Proto.TensorProto.Types.DataType;

namespace MLNetQuant.Tests.Batching;

/// <summary>Which rows are stacked into one batch, in which shape, and how many.</summary>
public sealed class BatchedShapeTests : IDisposable
{
    private readonly ScratchFolder _folder = new();
    private readonly MLContext _ml = new(seed: 1);
    private readonly string _file;
    private readonly IDataView _data;

    public BatchedShapeTests()
    {
        _file = SmallModels.Linear(_folder["x.onnx"], 4);
        _data = MixedRow.View(_ml, 300);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Rows_of_different_lengths_run_with_their_like()
    {
        var file = new ModelFile().Input("x", DataType.Float, -1, -1, 2).Node("Relu", "y", "x").Output("y", -1, -1, 2).Save(_folder["long.onnx"]);
        var random = new Random(1);
        var data = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 400).Select(i => new Long
        {
            X = [.. Enumerable.Range(0, 2 * (1 + (i / 7 % 4))).Select(_ => random.NextSingle() - 0.5f)],
        }).ToArray());
        using var rowByRow = _ml.Transforms.ApplyOnnxModel(file).Fit(data);
        using var batched = rowByRow.Batched();
        RowValues.AssertNear(RowValues.Of(rowByRow.Transform(data)), RowValues.Of(batched.Transform(data)));
        Assert.Null(Assert.Single(batched.Steps).RowByRowReason);
    }

    [Fact]
    public void Single_values_feed_a_matrix_of_one_column()
    {
        var file = new ModelFile().Input("Number", DataType.Int32, -1, 1).Cast("y", "Number", DataType.Int64).Output("y", DataType.Int64, -1, 1).Save(_folder["n.onnx"]);
        using var rowByRow = _ml.Transforms.ApplyOnnxModel(file).Fit(_data);
        using var batched = _ml.Transforms.ApplyOnnxModelBatched(file).Fit(_data);
        Assert.Equal(RowValues.Of(rowByRow.Transform(_data), "y"), RowValues.Of(batched.Transform(_data), "y"));
        Assert.Null(batched.Scoring.RowByRowReason);
    }

    [Fact]
    public void The_shapes_that_a_step_was_given_shape_its_batches()
    {
        // Nothing else tells how 8 values become two axes.
        var file = new ModelFile().Input("x", DataType.Float, -1, -1, -1).Node("Softmax", "y", "x").Output("y", -1, -1, -1).Save(_folder["open.onnx"]);
        var data = View(SmallModels.Rows(40, 8));
        using var rowByRow = _ml.Transforms.ApplyOnnxModel(file, Shape("x", 1, 2, 4)).Fit(data);
        _ml.Model.Save(rowByRow, data.Schema, _folder["model.zip"]);
        foreach (var model in new[] { rowByRow, _ml.Model.Load(_folder["model.zip"], out _) })
        {
            using var batched = model.Batched();
            RowValues.AssertNear(RowValues.Of(rowByRow.Transform(data)), RowValues.Of(batched.Transform(data)));
            Assert.Null(Assert.Single(batched.Steps).RowByRowReason);
        }
    }

    [Fact]
    public void An_open_axis_in_the_shape_that_a_step_was_given_takes_up_the_length_of_a_row()
    {
        var file = new ModelFile().Input("x", DataType.Float, -1, -1, -1).Node("Softmax", "y", "x").Output("y", -1, -1, -1).Save(_folder["open.onnx"]);
        var random = new Random(1);
        var data = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 40).Select(i => new Long
        {
            X = [.. Enumerable.Range(0, 2 * (1 + (i % 4))).Select(_ => random.NextSingle())],
        }).ToArray());
        using var rowByRow = _ml.Transforms.ApplyOnnxModel(file, Shape("x", -1, 2, -1)).Fit(data);
        using var batched = rowByRow.Batched();
        RowValues.AssertNear(RowValues.Of(rowByRow.Transform(data)), RowValues.Of(batched.Transform(data)));
        Assert.Null(Assert.Single(batched.Steps).RowByRowReason);
    }

    [Fact]
    public void Rows_that_do_not_fill_the_shape_that_a_step_was_given_fail_as_they_do_row_by_row()
    {
        var file = new ModelFile().Input("x", DataType.Float, -1, -1, 2).Node("Relu", "y", "x").Output("y", -1, -1, 2).Save(_folder["open.onnx"]);
        var data = View(SmallModels.Rows(10, 8));
        using var rowByRow = _ml.Transforms.ApplyOnnxModel(file, Shape("x", 1, 2, 2)).Fit(data);
        using var batched = rowByRow.Batched();
        var expected = Assert.ThrowsAny<Exception>(() => RowValues.Of(rowByRow.Transform(data)));
        var actual = Assert.ThrowsAny<Exception>(() => RowValues.Of(batched.Transform(data)));
        Assert.Equal((expected.GetType(), expected.Message), (actual.GetType(), actual.Message));
        Assert.Equal(
            "ONNX step 1: rows are scored one by one, because the column 'x' (Vector<Single, 8>) does not tell the shape of the input 'x' (Float[N0,N1,2]).",
            Assert.Single(batched.Steps).RowByRowReason);
    }

    [Theory]
    [InlineData(null, 16)]
    [InlineData(40, 40)]
    public void Who_chooses_no_batch_size_has_no_more_than_4_MB_of_inputs_read_ahead(int? batchSize, int rows)
    {
        const int width = 1 << 16;
        var file = new ModelFile().Input("x", DataType.Float, -1, width).Node("Relu", "y", "x").Output("y", -1, width).Save(_folder["wide.onnx"]);
        var zeros = new float[width];
        var source = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 50).Select(_ => new Wide { X = zeros }));
        using var model = _ml.Transforms.ApplyOnnxModel(file).Fit(source);
        using var batched = model.Batched(batchSize);
        using var again = _ml.Transforms.ApplyOnnxModelBatched(["y"], ["x"], file, batchSize).Fit(source);
        foreach (var scorer in new ITransformer[] { batched, again })
        {
            var data = new RecordingDataView(source);
            var view = scorer.Transform(data);
            using var cursor = view.GetRowCursor([view.Schema["y"]]);
            Assert.True(cursor.MoveNext());
            Assert.Equal(rows, data.RowsRead);
        }
    }

    [Fact]
    public void Rows_of_any_length_are_counted_as_they_come()
    {
        var file = new ModelFile().Input("x", DataType.Float, -1, -1).Node("Relu", "y", "x").Output("y", -1, -1).Save(_folder["long.onnx"]);
        var zeros = new float[1 << 17];
        var data = new RecordingDataView(_ml.Data.LoadFromEnumerable(Enumerable.Range(0, 20).Select(_ => new Long { X = zeros })));
        using var model = _ml.Transforms.ApplyOnnxModelBatched(file).Fit(data);
        var view = model.Transform(data);
        using var cursor = view.GetRowCursor([view.Schema["y"]]);
        var get = cursor.GetGetter<VBuffer<float>>(view.Schema["y"]);
        VBuffer<float> scores = default;
        while (cursor.MoveNext())
        {
            get(ref scores);
            Assert.InRange(data.RowsRead - cursor.Position, 1, 8);
        }

        Assert.Equal(20, data.RowsRead);
    }

    [Fact]
    public void A_huge_batch_size_takes_memory_for_the_rows_that_there_are()
    {
        using var model = _ml.Transforms.ApplyOnnxModel(_file).Fit(_data);
        using var batched = model.Batched(int.MaxValue);
        Assert.Equal(int.MaxValue, Assert.Single(batched.Steps).BatchSize);
        var view = batched.Transform(_data);
        var expected = RowValues.Of(model.Transform(_data), "y");
        var before = GC.GetAllocatedBytesForCurrentThread();
        var scores = RowValues.Of(view, "y");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
        RowValues.AssertNear(expected, scores);
    }

    private static Dictionary<string, int[]> Shape(string input, params int[] shape) => new() { [input] = shape };

    private IDataView View(float[][] rows) => _ml.Data.LoadFromEnumerable(rows.Select(x => new Eight { X = x }).ToArray());

    private sealed class Eight
    {
        [VectorType(8)]
        [ColumnName("x")]
        public float[] X { get; set; } = [];
    }

    private sealed class Wide
    {
        [VectorType(1 << 16)]
        [ColumnName("x")]
        public float[] X { get; set; } = [];
    }

    private sealed class Long
    {
        [ColumnName("x")]
        public float[] X { get; set; } = [];
    }
}
