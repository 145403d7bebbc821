using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLNetQuant.Tests.Data;

namespace MLNetQuant.Tests;

public sealed class ProgressTests
{
    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void Progress_comes_in_order_from_nothing_to_all_layers()
    {
        var told = new Recorder(_ => { });
        using var model = Fit(told, default);

        var layers = model.Report.Layers.Count;
        Assert.True(layers > 3);
        Assert.All(told.Steps, s => Assert.Equal(layers, s.Total));
        Assert.Equal(0, told.Steps[0].Completed);
        Assert.Equal(layers, told.Steps[^1].Completed);
        Assert.Equal(1, told.Steps[^1].Fraction);
        Assert.Equal(told.Steps.Select(s => s.Completed).Order(), told.Steps.Select(s => s.Completed));
        Assert.Equal(Enumerable.Range(0, layers + 1), told.Steps.Select(s => s.Completed).Distinct());
        Assert.Equal(model.Report.Layers.Select(l => l.Name), told.Steps.Where(s => s.Stage == "calibrate").Select(s => s.Layer));
        Assert.Equal(["calibrate", "quantize", "write", "verify"], told.Steps.Select(s => s.Stage).Distinct());
    }

    [Fact]
    public void The_log_of_the_context_is_told_of_each_layer_and_of_the_result()
    {
        var ml = new MLContext(seed: 1);
        var log = new List<string>();
        ml.Log += (_, e) =>
        {
            if (e.Kind == ChannelMessageKind.Info && e.Source.Contains("MLNetQuant", StringComparison.Ordinal))
                log.Add(e.RawMessage);
        };
        var told = new Recorder(_ => { });
        var rows = ml.Data.LoadFromEnumerable(FashionMnist.Calibration.Take(64));
        var options = new QuantizationOptions { RowsPerLayer = 256, Progress = told };
        using (var silent = ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, options).Fit(rows))
            Assert.Empty(log);
        var silently = told.Steps.ToArray();
        told.Steps.Clear();
        using var model = ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, options, ml).Fit(rows);
        Assert.Equal(silently, told.Steps);

        var report = model.Report;
        Assert.Equal(
            told.Steps.Select(s => $"{FashionMnist.ModelFile}: {s.Stage}{(s.Layer is null ? "" : $" '{s.Layer}'")}, {s.Completed} of {s.Total} layers done."),
            log.SkipLast(1));
        Assert.Contains($"{report.FloatBytes} to {report.QuantizedBytes} bytes", log[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("calibrate", 0)]
    [InlineData("quantize", 1)]
    [InlineData("calibrate", 3)]
    [InlineData("write", -1)]
    [InlineData("verify", -1)]
    public void Cancelling_from_a_progress_callback_ends_the_fit(string stage, int completed)
    {
        using var source = new CancellationTokenSource();
        var told = new Recorder(p =>
        {
            if (p.Stage == stage && (completed < 0 || p.Completed == completed))
                source.Cancel();
        });
        Assert.ThrowsAny<OperationCanceledException>(() => Fit(told, source.Token));
        Assert.True(source.IsCancellationRequested);
    }

    [Fact]
    public void Cancelling_while_rows_are_read_ends_the_fit()
    {
        using var source = new CancellationTokenSource();
        var rows = new RecordingDataView(_ml.Data.LoadFromEnumerable(FashionMnist.Calibration))
        {
            OnRow = row =>
            {
                if (row == 10)
                    source.Cancel();
            },
        };
        var estimator = _ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, new QuantizationOptions { CancellationToken = source.Token });
        Assert.ThrowsAny<OperationCanceledException>(() => estimator.Fit(rows));
        Assert.InRange(rows.RowsRead, 11, 12);
        Assert.Equal(rows.Cursors.Count, rows.DisposedCursors);
    }

    [Fact]
    public void A_token_cancelled_beforehand_ends_the_fit_at_once()
    {
        var estimator = _ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, new QuantizationOptions { CancellationToken = new(canceled: true) });
        var rows = new RecordingDataView(_ml.Data.LoadFromEnumerable(FashionMnist.Calibration));
        Assert.ThrowsAny<OperationCanceledException>(() => estimator.Fit(rows));
        Assert.InRange(rows.RowsRead, 0, 1);
    }

    [Fact]
    public void Cancelling_after_the_fit_leaves_the_transformer_alone()
    {
        using var source = new CancellationTokenSource();
        using var model = Fit(new Recorder(_ => { }), source.Token);
        source.Cancel();
        var images = _ml.Data.LoadFromEnumerable(FashionMnist.Test.Take(3));
        Assert.Equal(3, _ml.Data.CreateEnumerable<Scores>(model.Transform(images), reuseRowObject: false).Count());
    }

    private WeightQuantizingTransformer Fit(Recorder progress, CancellationToken token) => _ml.Transforms
        .QuantizeWeights(
            FashionMnist.ModelFile,
            new QuantizationOptions { RowsPerLayer = 256, Progress = progress, CancellationToken = token })
        .Fit(_ml.Data.LoadFromEnumerable(FashionMnist.Calibration.Take(64)));

    private sealed class Recorder(Action<QuantizationProgress> then) : IProgress<QuantizationProgress>
    {
        public List<QuantizationProgress> Steps { get; } = [];

        public void Report(QuantizationProgress value)
        {
            Steps.Add(value);
            then(value);
        }
    }
}
