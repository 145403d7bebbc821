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
    private static readonly string[] Variables = ["TMPDIR", "TMP", "TEMP"];

    private readonly string?[] _before = Array.ConvertAll(Variables, Environment.GetEnvironmentVariable);
    private readonly ScratchFolder _elsewhere = new();
    private readonly ScratchFolder _temporary = new();
    private readonly MLContext _ml;
    private readonly IDataView _data;
    private readonly string _model;

    public TemporaryFileTests()
    {
        foreach (var variable in Variables)
            Environment.SetEnvironmentVariable(variable, _temporary.Path);
        _ml = new(seed: 1);
        _model = SmallModels.Linear(_elsewhere["x.onnx"], 4);
        _data = _ml.Data.LoadFromEnumerable(SmallModels.Rows(40, 4).Select(r => new Row { X = r }));
    }

    public void Dispose()
    {
        foreach (var (variable, value) in Variables.Zip(_before))
            Environment.SetEnvironmentVariable(variable, value);
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

    private string[] Files() => Directory.GetFileSystemEntries(_temporary.Path);

    private sealed class Canceller(string stage, CancellationTokenSource source) : IProgress<QuantizationProgress>
    {
        public void Report(QuantizationProgress value)
        {
            if (value.Stage == stage)
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
