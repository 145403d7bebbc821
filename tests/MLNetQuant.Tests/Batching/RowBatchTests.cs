using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using MLNetQuant.Batching;
using MLNetQuant.Onnx;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;
using DataType = MLNetQuant.Onnx.Proto.TensorProto.Types.DataType;

namespace MLNetQuant.Tests.Batching;

/// <summary>One batch: which of its rows run together, what is learnt of the model, and what becomes of it when its cursor goes.</summary>
public sealed class RowBatchTests : IDisposable
{
    private readonly ScratchFolder _folder = new();
    private readonly MLContext _ml = new(seed: 1);
    private readonly RunOptions _quiet = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };

    public void Dispose()
    {
        _quiet.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Runs_that_a_cursor_ends_tell_nothing_of_the_model()
    {
        // A row alone runs at once, two never end; the tenth row asks for an entry that the table does not have.
        var file = new ModelFile().Input("x", DataType.Int64, -1, 1).Weights("W", 10, 5).Scalar("zero", 0).Scalar("one", 1).Scalar("many", 1L << 40)
            .Node("Shape", "shape", "x").Node("Gather", "rows", "shape", "zero").Node("Sub", "others", "rows", "one").Node("Mul", "times", "others", "many")
            .Node("Gather", "g", "W", "x").Negate("y", "g", "times").Output("y", -1, 1, 5).Save(_folder["endless.onnx"]);
        var data = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 16).Select(i => new Index { X = [i == 9 ? 99 : i % 10] }));
        using var model = Open(file);
        Assert.True(model.TryOpen(null));
        using var batch = Read(model, data, rowsTogether: 16);
        var leaving = Task.Run(() =>
        {
            Thread.Sleep(500);
            _quiet.Terminate = true;
        });
        Record.Exception(() => batch.Score(0));
        await leaving;
        Assert.Null(model.RowByRowReason);
    }

    [Theory]
    [InlineData(1000, 100)]
    [InlineData(1600, 100)]
    [InlineData(99, 100)] // no less than a row
    [InlineData(1 << 20, 100)]
    public void Rows_whose_outputs_would_be_too_many_run_in_parts(int mostValues, int width)
    {
        var file = new ModelFile().Input("x", DataType.Float, -1, 4).Weights("W", 4, width).Node("MatMul", "y", "x", "W").Output("y", -1, width).Save(_folder["wide.onnx"]);
        var data = MixedRow.View(_ml, 64);
        using var step = _ml.Transforms.ApplyOnnxModel(file).Fit(data);
        var expected = RowValues.Of(step.Transform(data), "y");
        using var model = Open(file);
        using var batch = Read(model, data, rowsTogether: 16, mostValues, width);
        var current = 0;
        var get = (ValueGetter<VBuffer<float>>)batch.Outputs[0].CreateGetter(() => (batch.Outputs[0], batch.Score(current)));
        VBuffer<float> y = default;

        // The first run tells how much comes out of a row, so that the second one is the first to heed it.
        for (; current < 64; current++)
        {
            get(ref y);
            RowValues.AssertNear([[expected[current][2]]], [[y.DenseValues().ToArray()]]);
            var most = Math.Max(1, mostValues / width);
            Assert.Equal(current < 16 ? current : (current - 16) % most, batch.Score(current));
        }

        Assert.Equal(Math.Max(1, mostValues / width), batch.RowsTogether);
    }

    [Fact]
    public void Batches_that_ran_at_the_same_time_leave_no_trial_out()
    {
        var file = SmallModels.Linear(_folder["x.onnx"], 4);
        var data = MixedRow.View(_ml, 16);
        var runs = new RecordedRuns(_folder, file, "MatMul_y");
        using var model = runs.Open();
        using var batch = Read(model, data, rowsTogether: 16);

        // Three were tried. Two more began together, as the fourth; none began as the fifth, which is one to try.
        for (var earlier = 0; earlier < 5; earlier++)
            model.Count("y", tried: earlier < 3);
        batch.Score(0);
        Assert.Equal([16, 1, 1, 1], runs.End());
    }

    [Fact]
    public void What_is_scored_ahead_ends_with_the_cursor_and_can_be_scored_again()
    {
        var file = SmallModels.Linear(_folder["x.onnx"], 4);
        var data = MixedRow.View(_ml, 16);
        using var model = Open(file);
        using var batch = Read(model, data, rowsTogether: 16);
        Assert.True(model.TryOpen(null));
        model.ScoreRowByRow("of a test");
        batch.ScoreAhead();
        Assert.Equal(0, batch.Score(0));

        // Runs of one row too, which a cursor would otherwise wait for when it is disposed of.
        _quiet.Terminate = true;
        Assert.Throws<OnnxRuntimeException>(batch.ScoreAhead);
        Assert.Equal(0, batch.Score(0));
    }

    [Fact]
    public void The_batches_to_try_are_the_first_second_third_fifth_and_so_on()
    {
        using var model = Open(SmallModels.Linear(_folder["x.onnx"], 4));
        var tried = new List<int>();
        for (var batch = 1; batch <= 40; batch++)
        {
            var (ran, isTrial) = model.BatchesOf("y");
            Assert.Equal(batch - 1, ran);
            if (isTrial)
                tried.Add(batch);
            model.Count("y", isTrial);
        }

        Assert.Equal([1, 2, 3, 5, 9, 17, 33], tried);
        Assert.Equal((0, true), model.BatchesOf("z"));
    }

    private static BatchedModel Open(string file) =>
        new("it", BatchedModelSource.FromFile(new(() => OnnxModel.Load(file)), file, new Dictionary<string, int[]>(), default, null), null);

    private RowBatch Read(BatchedModel model, IDataView data, int rowsTogether, int mostValues = 1 << 20, int width = 5)
    {
        var column = data.Schema["x"];
        using var cursor = data.GetRowCursor([column]);
        var batch = new RowBatch(
            model, cursor, [InputBinding.Create(model.Inputs[0], column)!], [("y", new VectorDataViewType(NumberDataViewType.Single, width))], null, mostValues, _quiet);
        batch.Clear(rowsTogether);
        while (cursor.MoveNext())
            batch.Read();
        return batch;
    }

    private sealed class Index
    {
        [VectorType(1)]
        [ColumnName("x")]
        public long[] X { get; set; } = [];
    }
}
