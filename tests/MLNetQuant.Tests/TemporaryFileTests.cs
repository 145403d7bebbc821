using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;

namespace MLNetQuant.Tests;

/// <summary>Runs alone, in a temporary folder of its own, so that every file in it comes from the test.</summary>
[CollectionDefinition(nameof(TemporaryFileTests), DisableParallelization = true)]
[Collection(nameof(TemporaryFileTests))]
public sealed class TemporaryFileTests : IDisposable
{
    private readonly ScratchFolder _elsewhere = new();
    private readonly OwnTemporaryFolder _temporary = new();
    private readonly MLContext _ml = new(seed: 1);
    private readonly IDataView _data;
    private readonly string _model;

    public TemporaryFileTests()
    {
        _model = SmallModels.Linear(_elsewhere["x.onnx"], 4);
        _data = _ml.Data.LoadFromEnumerable(SmallModels.Rows(40, 4).Select(r => new Row { X = r }));
    }

    public void Dispose()
    {
        _temporary.Dispose();
        _elsewhere.Dispose();
    }

    [Fact]
    public void A_transformer_has_one_temporary_file_until_it_is_disposed()
    {
        var model = _ml.Transforms.QuantizeWeights(_model).Fit(_data);
        Assert.Single(Files());
        Assert.Equal(40, model.Transform(_data).GetColumn<float[]>("y").Count());
        Assert.Single(Files());
        model.Dispose();
        Assert.Empty(Files());
        model.Dispose();
        Assert.Empty(Files());
    }

    [Fact]
    public void Transformers_have_files_of_their_own()
    {
        var estimator = _ml.Transforms.QuantizeWeights(_model);
        using var first = estimator.Fit(_data);
        var second = estimator.Fit(_data);
        Assert.Equal(2, Files().Length);
        second.Dispose();
        Assert.Single(Files());
        Assert.Equal(40, first.Transform(_data).GetColumn<float[]>("y").Count());
    }

    [Fact]
    public void Disposing_a_chain_deletes_the_file()
    {
        var chain = _ml.Transforms.CopyColumns("z", "x").Append(_ml.Transforms.QuantizeWeights(_model)).Fit(_data);
        Assert.Single(Files());
        chain.Dispose();
        Assert.Empty(Files());
    }

    [Fact]
    public void A_prediction_engine_disposes_the_transformer_that_it_owns()
    {
        var model = _ml.Transforms.QuantizeWeights(_model).Fit(_data);
        using (var engine = _ml.Model.CreatePredictionEngine<Row, Scored>(model))
            Assert.Equal(5, engine.Predict(new Row { X = [1, 2, 3, 4] }).Y.Length);
        Assert.Empty(Files());
    }

    [Fact]
    public void A_prediction_engine_leaves_a_transformer_that_it_does_not_own()
    {
        var model = _ml.Transforms.QuantizeWeights(_model).Fit(_data);
        using (var engine = _ml.Model.CreatePredictionEngine<Row, Scored>(model, new PredictionEngineOptions { OwnsTransformer = false }))
            Assert.Equal(5, engine.Predict(new Row { X = [1, 2, 3, 4] }).Y.Length);
        Assert.Single(Files());
        Assert.Equal(40, model.Transform(_data).GetColumn<float[]>("y").Count());
        model.Dispose();
        Assert.Empty(Files());
    }

    [Fact]
    public void Saving_leaves_no_file_behind()
    {
        using (var model = _ml.Transforms.QuantizeWeights(_model).Fit(_data))
        {
            _ml.Model.Save(model, _data.Schema, _elsewhere["model.zip"]);
            model.SaveOnnxModel(_elsewhere["model.onnx"]);
            Assert.Single(Files());
        }

        Assert.Empty(Files());
        Assert.Equal(["model.onnx", "model.zip", "x.onnx"], Directory.GetFiles(_elsewhere.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Asking_for_the_schema_leaves_no_file_behind()
    {
        _ml.Transforms.QuantizeWeights(_model).GetOutputSchema(ShapeCapture.Of(_data));
        _ml.Transforms.QuantizeWeights(File.ReadAllBytes(_model)).GetOutputSchema(ShapeCapture.Of(_data));
        Assert.Empty(Files());
    }

    [Fact]
    public void A_failed_fit_leaves_no_file_behind()
    {
        float[][] rows = [.. SmallModels.Rows(40, 4), [1, 2, float.NaN, 4]];
        var data = _ml.Data.LoadFromEnumerable(rows.Select(r => new Row { X = r }));
        Assert.Throws<QuantizationException>(() => _ml.Transforms.QuantizeWeights(_model).Fit(data));
        Assert.Throws<QuantizationException>(() => _ml.Transforms.QuantizeWeights(SmallModels.Relu(_elsewhere["relu.onnx"])).Fit(_data));
        Assert.Throws<QuantizationException>(() => _ml.Transforms.QuantizeWeights(["z"], ["x"], _model).Fit(_data));
        Assert.Empty(Files());
    }

    [Fact]
    public void A_cancelled_fit_leaves_no_file_behind()
    {
        foreach (var stage in new[] { "calibrate", "quantize", "write", "verify" })
        {
            using var source = new CancellationTokenSource();
            var options = new QuantizationOptions { Progress = new Canceller(stage, source), CancellationToken = source.Token };
            Assert.ThrowsAny<OperationCanceledException>(() => _ml.Transforms.QuantizeWeights(_model, options).Fit(_data));
            Assert.Empty(Files());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // by the estimator
    public void A_quantized_chain_has_a_file_for_each_of_its_models_until_it_is_disposed(bool byEstimator)
    {
        var model = (IDisposable)(byEstimator
            ? Chain().WithQuantizedWeights(_ml).Fit(_data)
            : _ml.Model.QuantizeWeights(Chain().Fit(_data), _data));
        Assert.Equal(2, Files().Length);
        _ml.Model.Save((ITransformer)model, _data.Schema, _elsewhere["model.zip"]);
        Assert.Equal(40, ((ITransformer)model).Transform(_data).GetColumn<float[]>("v").Count());
        Assert.Equal(2, Files().Length);
        model.Dispose();
        Assert.Empty(Files());

        var loaded = (IDisposable)_ml.Model.Load(_elsewhere["model.zip"], out _);
        loaded.Dispose();
        Assert.Empty(Files());
    }

    [Theory]
    [InlineData("calibrate")]
    [InlineData("verify")]
    public void A_chain_that_is_cancelled_at_its_second_model_leaves_no_file_behind(string stage)
    {
        using var source = new CancellationTokenSource();
        var seen = 0;
        var options = new QuantizationOptions { Progress = new Canceller(stage, source, () => ++seen == 2), CancellationToken = source.Token };
        using var model = Chain().Fit(_data);
        Assert.ThrowsAny<OperationCanceledException>(() => _ml.Model.QuantizeWeights(model, _data, options));
        Assert.Equal(2, seen);
        Assert.Empty(Files());
    }

    [Fact]
    public void A_receiver_of_the_report_that_throws_leaves_no_file_behind()
    {
        var estimator = Chain().WithQuantizedWeights(_ml, onQuantized: _ => throw new InvalidOperationException("enough"));
        Assert.Equal("enough", Assert.Throws<InvalidOperationException>(() => estimator.Fit(_data)).Message);
        Assert.Empty(Files());
    }

    [Fact]
    public void An_estimator_that_fails_after_its_fit_leaves_no_file_behind()
    {
        using var source = new CancellationTokenSource();
        var options = new QuantizationOptions { Progress = new Canceller("calibrate", source), CancellationToken = source.Token };
        var chain = _ml.Transforms.QuantizeWeights(_model).Append(_ml.Transforms.ApplyOnnxModel(Second()));
        Assert.ThrowsAny<OperationCanceledException>(() => chain.WithQuantizedWeights(_ml, options).Fit(_data));
        Assert.Empty(Files());
    }

    private EstimatorChain<Microsoft.ML.Transforms.Onnx.OnnxTransformer> Chain() =>
        _ml.Transforms.ApplyOnnxModel(_model).Append(_ml.Transforms.ApplyOnnxModel(Second()));

    private string Second() => new ModelFile()
        .Input("y", Onnx.Proto.TensorProto.Types.DataType.Float, -1, 5)
        .Weights("V", 5, 3)
        .Node("MatMul", "v", "y", "V")
        .Output("v", -1, 3)
        .Save(_elsewhere["second.onnx"]);

    private string[] Files() => _temporary.Files();

    private sealed class Canceller(string stage, CancellationTokenSource source, Func<bool>? when = null) : IProgress<QuantizationProgress>
    {
        public void Report(QuantizationProgress value)
        {
            if (value.Stage == stage && when?.Invoke() != false)
                source.Cancel();
        }
    }

    private sealed class Row
    {
        [VectorType(4)]
        [ColumnName("x")]
        public float[] X { get; set; } = [];
    }

    private sealed class Scored
    {
        [ColumnName("y")]
        public float[] Y { get; set; } = [];
    }
}
