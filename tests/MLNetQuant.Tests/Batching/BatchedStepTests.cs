using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Batching;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;
using DataType = MLNetQuant.Onnx.Proto.TensorProto.Types.DataType;

namespace MLNetQuant.Tests.Batching;

/// <summary>Several views of one step.</summary>
public sealed class BatchedStepTests : IDisposable
{
    private readonly ScratchFolder _folder = new();
    private readonly MLContext _ml = new(seed: 1);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Views_that_are_made_at_the_same_time_are_scored_each_as_its_own_columns_allow()
    {
        var file = new ModelFile().Input("x", DataType.Float, -1, -1, 2).Node("Relu", "y", "x").Output("y", -1, -1, 2).Save(_folder["x.onnx"]);
        var values = SmallModels.Rows(200, 4);
        var open = _ml.Data.LoadFromEnumerable(values.Select(x => new Open { X = x }).ToArray());
        var closed = _ml.Data.LoadFromEnumerable(values.Select(x => new Closed { X = x }).ToArray());
        var told = new List<string>();
        _ml.Log += (_, e) =>
        {
            if (e.RawMessage.Contains("one by one", StringComparison.Ordinal))
            {
                lock (told)
                    told.Add(e.RawMessage);
            }
        };
        using var model = _ml.Transforms.ApplyOnnxModelBatched(new BatchedOnnxOptions { ModelFile = file, Environment = _ml }).Fit(open);
        using var meeting = new Barrier(2);
        const int times = 50;
        var views = await Task.WhenAll(Task.Run(() => Make(open)), Task.Run(() => Make(closed)));
        Assert.All(views[0], view => Assert.IsType<BatchedDataView>(view));
        Assert.All(views[1], view => Assert.IsNotType<BatchedDataView>(view));

        // What is said is of the one made last, whichever that was; each is still read as it was made.
        Assert.InRange(told.Count, 1, times);
        model.Transform(closed);
        Assert.Contains("does not tell the shape of the input 'x'", model.Scoring.RowByRowReason, StringComparison.Ordinal);
        Assert.All(told, message => Assert.Equal(model.Scoring.RowByRowReason, message));
        float[][] expected = [.. values.Select(x => Array.ConvertAll(x, v => Math.Max(v, 0)))];
        Assert.Equal(expected, Scores(views[0][^1]));
        model.Transform(open);
        Assert.Null(model.Scoring.RowByRowReason);
        var scores = await Task.WhenAll(views.Select(v => Task.Run(() => Record.Exception(() => Scores(v[0])))));
        Assert.Null(scores[0]);

        IDataView[] Make(IDataView data)
        {
            var made = new IDataView[times];
            for (var time = 0; time < times; time++)
            {
                meeting.SignalAndWait();
                made[time] = model.Transform(data);
            }

            return made;
        }
    }

    private static float[][] Scores(IDataView view) => [.. view.GetColumn<float[]>("y")];

    private sealed class Open
    {
        [ColumnName("x")]
        public float[] X { get; set; } = [];
    }

    private sealed class Closed
    {
        [VectorType(4)]
        [ColumnName("x")]
        public float[] X { get; set; } = [];
    }
}
