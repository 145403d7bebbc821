using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using MLNetQuant.Batching;
using MLNetQuant.Onnx;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;
using DataType = MLNetQuant.Onnx.Proto.TensorProto.Types.DataType;

namespace MLNetQuant.Tests.Batching;

/// <summary>Rows that are scored on other threads while the cursor is read.</summary>
public sealed class ScoringAheadTests : IDisposable
{
    private readonly ScratchFolder _folder = new();
    private readonly MLContext _ml = new(seed: 1);
    private readonly string _file;

    public ScoringAheadTests() => _file = SmallModels.Linear(_folder["x.onnx"], 4);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 3)]
    [InlineData(20, 50)]
    [InlineData(500, 130)]
    [InlineData(15, 700)]
    [InlineData(0, 1500)]
    public void Scores_may_be_asked_for_in_some_rows_only(int first, int step)
    {
        const int rows = 3000;
        var data = MixedRow.View(_ml, rows);
        using var rowByRow = _ml.Transforms.ApplyOnnxModel(_file).Fit(data);
        using var model = _ml.Transforms.ApplyOnnxModelBatched(_file).Fit(data);
        var expected = RowValues.Of(rowByRow.Transform(data), "Number", "y");
        var view = model.Transform(new RecordingDataView(data));
        using var cursor = view.GetRowCursor([view.Schema["Number"], view.Schema["y"]]);
        var id = cursor.GetIdGetter();
        var number = cursor.GetGetter<int>(view.Schema["Number"]);
        var get = cursor.GetGetter<VBuffer<float>>(view.Schema["y"]);
        var wanted = new List<object[]>();
        var given = new List<object[]>();
        VBuffer<float> scores = default;
        DataViewRowId rowId = default;
        for (var row = 0; cursor.MoveNext(); row++)
        {
            var n = 0;
            number(ref n);
            Assert.Equal(row, n);
            if (row < first || (row - first) % step != 0)
                continue;
            id(ref rowId);
            get(ref scores);
            given.Add([cursor.Position, rowId, n, scores.DenseValues().ToArray()]);
            wanted.Add(expected[row]);
        }

        RowValues.AssertNear(wanted, given);
    }

    [Fact]
    public void All_rows_are_read_on_the_thread_that_moves_the_cursor_and_1024_at_most_ahead()
    {
        var threads = new HashSet<int>();
        var data = new RecordingDataView(MixedRow.View(_ml, 5000)) { OnRow = _ => threads.Add(Environment.CurrentManagedThreadId) };
        using var model = _ml.Transforms.ApplyOnnxModelBatched(_file).Fit(data);
        var view = model.Transform(data);
        using var cursor = view.GetRowCursor([view.Schema["y"]]);
        var get = cursor.GetGetter<VBuffer<float>>(view.Schema["y"]);
        VBuffer<float> scores = default;
        while (cursor.MoveNext())
        {
            get(ref scores);
            Assert.InRange(data.RowsRead - cursor.Position, 1, 1024);
        }

        Assert.Equal(5000, data.RowsRead);
        Assert.Equal([Environment.CurrentManagedThreadId], threads);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(100)]
    [InlineData(700)]
    public void A_cursor_may_be_left_while_rows_are_scored(int rows)
    {
        var data = new RecordingDataView(MixedRow.View(_ml, 3000));
        var model = _ml.Transforms.ApplyOnnxModelBatched(_file).Fit(data);
        var view = model.Transform(data);
        DataViewSchema.Column[] columns = [view.Schema["Number"], view.Schema["y"]];
        var expected = RowValues.Of(view, "Number", "y");
        const int times = 50;
        for (var time = 0; time < times; time++)
        {
            using var cursor = view.GetRowCursor(columns);
            Assert.Equal(expected.Take(rows), RowValues.Of(cursor, columns, limit: rows));
        }

        Assert.Equal(times + 1, data.DisposedCursors);

        // A model that goes with its cursor half read goes when the runs have ended.
        var last = view.GetRowCursor(columns);
        Assert.Equal(rows, RowValues.Of(last, columns, limit: rows).Count);
        model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => RowValues.Of(last, columns));
        last.Dispose();
        Assert.Equal(times + 2, data.DisposedCursors);
    }

    [Fact]
    public void Rows_that_are_found_to_mix_while_others_are_scored_ahead_are_scored_alone()
    {
        // Less the largest value, which is the same in the first batch only.
        var file = new ModelFile().Input("x", DataType.Float, -1, 4).Attribute("ReduceMax", "m", ["x"], "axes", 0, 1).Node("Sub", "y", "x", "m")
            .Output("y", -1, 4).Save(_folder["later.onnx"]);
        var rows = MixedRow.Rows(1500);
        for (var i = 0; i < 16; i++)
            rows[i].X[i % 4] = 2;
        var data = new RecordingDataView(_ml.Data.LoadFromEnumerable(rows));
        using var rowByRow = _ml.Transforms.ApplyOnnxModel(file).Fit(data);
        var expected = RowValues.Of(rowByRow.Transform(data), "y");
        for (var time = 0; time < 20; time++)
        {
            using var model = _ml.Transforms.ApplyOnnxModelBatched(file).Fit(data);
            RowValues.AssertNear(expected, RowValues.Of(model.Transform(data), "y"));
            Assert.Contains("an operator mixes the rows of a batch", model.Scoring.RowByRowReason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Scores_of_rows_that_ran_together_are_not_given_once_rows_are_known_to_mix()
    {
        // Each row less the sum of all.
        var file = new ModelFile().Input("x", DataType.Float, -1, 4).Ints("zero", 0).Node("ReduceSum", "s", "x", "zero").Node("Sub", "y", "x", "s")
            .Output("y", -1, 4).Save(_folder["mixing.onnx"]);
        var data = MixedRow.View(_ml, 20);
        using var model = new BatchedModel("it", BatchedModelSource.FromFile(new(() => OnnxModel.Load(file)), file, new Dictionary<string, int[]>(), default, null), null);
        var column = data.Schema["x"];
        using var cursor = data.GetRowCursor([column]);
        using var quiet = new RunOptions();
        using var batch = new RowBatch(
            model, cursor, [InputBinding.Create(model.Inputs[0], column)!], [("y", new VectorDataViewType(NumberDataViewType.Single, 4))], null, 1 << 20, quiet);
        batch.Clear(rowsTogether: 16);
        while (cursor.MoveNext())
            batch.Read();

        // As if earlier batches had passed, whose rows showed nothing.
        for (var earlier = 0; earlier < 3; earlier++)
            model.Count("y", tried: true);
        Assert.Equal(5, batch.Score(0) + batch.Score(5));
        Assert.Null(model.RowByRowReason);

        model.ScoreRowByRow("rows mix");
        Assert.Equal(0, batch.Score(5));
        VBuffer<float> y = default;
        ((ValueGetter<VBuffer<float>>)batch.Outputs[0].CreateGetter(() => (batch.Outputs[0], batch.Score(5))))(ref y);
        Assert.Equal(new float[4], y.DenseValues());
    }
}
