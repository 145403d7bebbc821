using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Onnx;
using MLNetQuant.Batching;
using MLNetQuant.Onnx;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;
using DataType = MLNetQuant.Onnx.Proto.TensorProto.Types.DataType;

namespace MLNetQuant.Tests.Batching;

/// <summary>Which rows a cursor has scored, in runs of how many, and what it holds meanwhile.</summary>
public sealed class BatchedRunsTests : IDisposable
{
    /// <summary>Batches that are read ahead and run on the cursor's own thread alone.</summary>
    private static readonly BatchPlan Alone = new(Batches: 4, Rows: 32, Runs: 1, Threads: 1);

    private readonly ScratchFolder _folder = new();
    private readonly MLContext _ml = new(seed: 1);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Rows_that_were_left_are_not_scored()
    {
        var file = SmallModels.Linear(_folder["x.onnx"], 4);
        var data = MixedRow.View(_ml, 320);
        var runs = new RecordedRuns(_folder, file, "MatMul_y");
        using var model = runs.Open();
        using var step = _ml.Transforms.ApplyOnnxModel(file).Fit(data);
        var expected = RowValues.Of(step.Transform(data), "y");
        using (var cursor = Open(model, step, data, new(128, 1 << 20, 32), Alone))
        {
            var get = cursor.GetGetter<VBuffer<float>>(cursor.Schema["y"]);
            VBuffer<float> y = default;
            while (cursor.MoveNext())
            {
                // In the first two batches, the sixth and the last: at the second one four are read, and wait.
                if (cursor.Position is not (0 or 40 or 170 or 319))
                    continue;
                get(ref y);
                RowValues.AssertNear([expected[(int)cursor.Position][2..]], [[y.DenseValues().ToArray()]]);
            }
        }

        // The first ones tell how many may run together, and are tried alone.
        Assert.Equal(4, runs.End().Count(rows => rows > 1));
    }

    [Theory]
    [InlineData(1 << 17)]
    [InlineData(1 << 18)]
    [InlineData((1 << 20) - 1)]
    public void Batches_of_rows_of_any_length_together_hold_no_more_than_was_asked_for(int length)
    {
        const int most = 1 << 20;
        var file = new ModelFile().Input("x", DataType.Float, -1, -1).Node("Relu", "y", "x").Output("y", -1, -1).Save(_folder["long.onnx"]);
        var zeros = new float[length];
        var data = new RecordingDataView(_ml.Data.LoadFromEnumerable(Enumerable.Range(0, 40).Select(_ => new Long { X = zeros })));
        using var model = new RecordedRuns(_folder, file, "Relu_y").Open();
        using var step = _ml.Transforms.ApplyOnnxModel(file).Fit(data);
        using var cursor = Open(model, step, data, new(128, most, 32), Alone with { Batches = 8 });
        var get = cursor.GetGetter<VBuffer<float>>(cursor.Schema["y"]);
        VBuffer<float> y = default;
        while (cursor.MoveNext())
        {
            get(ref y);

            // Until there are as many, one more row may be read, of whatever length.
            Assert.InRange((data.RowsRead - cursor.Position - 1) * length, 0, most - 1);
        }

        Assert.Equal(40, data.RowsRead);
    }

    [Fact]
    public void Rows_with_many_scores_run_in_smaller_numbers()
    {
        // 2^24 values are held in all.
        const int width = 1 << 17;
        var file = new ModelFile().Input("x", DataType.Float, -1, 4).Weights("W", 4, width).Node("MatMul", "y", "x", "W").Output("y", -1, width).Save(_folder["wide.onnx"]);
        var data = MixedRow.View(_ml, 200);
        var runs = new RecordedRuns(_folder, file, "MatMul_y");
        using var model = runs.Open();
        using var step = _ml.Transforms.ApplyOnnxModel(file).Fit(data);
        var all = step.Transform(data);
        using (var expected = all.GetRowCursor([all.Schema["y"]]))
        using (var actual = Open(model, step, data, new(200, 1 << 20, 16), new(Batches: 4, Rows: 50, Runs: 2, Threads: 1)))
        {
            var wanted = expected.GetGetter<VBuffer<float>>(all.Schema["y"]);
            var given = actual.GetGetter<VBuffer<float>>(actual.Schema["y"]);
            VBuffer<float> a = default;
            VBuffer<float> b = default;
            while (expected.MoveNext())
            {
                Assert.True(actual.MoveNext());
                wanted(ref a);
                given(ref b);
                Assert.Equal(width, b.Length);
                for (var i = 0; i < width; i += 1 + (width / 100))
                    Assert.Equal(a.GetValues()[i], b.GetValues()[i], 1e-5f);
            }

            Assert.False(actual.MoveNext());
        }

        int[] rows = [.. runs.End().Where(r => r > 1)];
        Assert.Equal(200, rows.Sum());
        Assert.Equal((1 << 24) / 4 / width, rows.Max());
    }

    [Fact]
    public void Warm_passes_allocate_next_to_nothing_per_row()
    {
        const int rows = 20_000;
        var file = SmallModels.Linear(_folder["x.onnx"], 4);
        var few = MixedRow.Rows(100);
        var data = _ml.Data.LoadFromEnumerable(Enumerable.Repeat(few, rows / few.Length).SelectMany(r => r));
        using var model = new BatchedModel("it", BatchedModelSource.FromFile(new(() => OnnxModel.Load(file)), file, new Dictionary<string, int[]>(), default, null), null);
        using var step = _ml.Transforms.ApplyOnnxModel(file).Fit(data);

        // All on one thread, whose allocations can be told from those of other tests; a run costs a kilobyte, however many rows it has.
        var plan = new BatchPlan(Batches: 8, Rows: 128, Runs: 1, Threads: 1);
        string[] read = ["x", "Number"];
        string[] all = [.. read, "y"];

        // Rows of objects allocate when they are read, whoever reads them.
        Pass(data.GetRowCursor(read.Select(c => data.Schema[c])), read);
        var source = Pass(data.GetRowCursor(read.Select(c => data.Schema[c])), read);
        Pass(Open(model, step, data, BatchSize.Default, plan, all), all);
        var scored = Pass(Open(model, step, data, BatchSize.Default, plan, all), all);
        Assert.True(scored - source < 20, $"{scored} bytes per row, of which {source} are the source's");

        static double Pass(DataViewRowCursor cursor, string[] columns)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            using (cursor)
            {
                var number = cursor.GetGetter<int>(cursor.Schema["Number"]);
                ValueGetter<VBuffer<float>>[] vectors = [.. columns.Where(c => c != "Number").Select(c => cursor.GetGetter<VBuffer<float>>(cursor.Schema[c]))];
                var values = new VBuffer<float>[vectors.Length];
                var n = 0;
                while (cursor.MoveNext())
                {
                    number(ref n);
                    for (var i = 0; i < vectors.Length; i++)
                        vectors[i](ref values[i]);
                }
            }

            return (GC.GetAllocatedBytesForCurrentThread() - before) / (double)rows;
        }
    }

    [Fact]
    public void Who_is_interrupted_while_he_waits_may_ask_again()
    {
        // Rows among others take their time, which changes nothing.
        var file = new ModelFile().Input("x", DataType.Float, -1, 4).Scalar("zero", 0).Scalar("one", 1).Scalar("many", 1400)
            .Node("Shape", "shape", "x").Node("Gather", "rows", "shape", "zero").Node("Sub", "others", "rows", "one").Node("Mul", "times", "others", "many")
            .Node("Relu", "r", "x").Negate("y", "r", "times").Output("y", -1, 4).Save(_folder["slow.onnx"]);
        var rows = MixedRow.Rows(25);
        var runs = new RecordedRuns(_folder, file, "Relu_r");
        using var model = runs.Open();
        using var step = _ml.Transforms.ApplyOnnxModel(file).Fit(MixedRow.View(_ml, 1));
        var scores = new Dictionary<int, float[]>();
        Thread? reader = null;
        var data = new RecordingDataView(_ml.Data.LoadFromEnumerable(rows))
        {
            OnRow = row =>
            {
                // The second batch is taken by another thread now, and waited for next.
                if (row != 24)
                    return;
                Thread.Sleep(50);
                new Thread(() =>
                {
                    Thread.Sleep(50);
                    reader!.Interrupt();
                }).Start();
            },
        };
        reader = new(Read);
        reader.Start();
        reader.Join();
        Assert.Equal(rows[0].X.Select(v => Math.Max(v, 0)), scores[0]);
        Assert.Equal(rows[8].X.Select(v => Math.Max(v, 0)), scores[8]);
        Assert.Single(runs.End(), 16);

        void Read()
        {
            using var cursor = Open(model, step, data, new(128, 1 << 20, 8), Alone with { Runs = 2 });
            var get = cursor.GetGetter<VBuffer<float>>(cursor.Schema["y"]);
            VBuffer<float> y = default;
            for (var row = 0; row <= 8; row++)
            {
                Assert.True(cursor.MoveNext());
                if (row is not (0 or 8))
                    continue;
                if (Record.Exception(() => get(ref y)) is ThreadInterruptedException)
                    get(ref y);
                scores[row] = y.DenseValues().ToArray();
            }
        }
    }

    /// <summary>A cursor over some columns; none for the scores alone.</summary>
    private static BatchedCursor Open(BatchedModel model, OnnxTransformer step, IDataView data, BatchSize size, BatchPlan plan, params string[] columns)
    {
        var view = new BatchedDataView(model, step, data, size);
        var active = new bool[view.Schema.Count];
        foreach (var column in columns.Append("y"))
            active[view.Schema[column].Index] = true;
        Assert.True(model.TryOpen(plan.Threads));
        return new(view, data.GetRowCursor(data.Schema.Where(c => c.Name == "x" || columns.Contains(c.Name))), active, size, plan);
    }

    private sealed class Long
    {
        [ColumnName("x")]
        public float[] X { get; set; } = [];
    }
}
