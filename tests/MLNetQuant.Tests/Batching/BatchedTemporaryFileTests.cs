using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;
using DataType = MLNetQuant.Onnx.Proto.TensorProto.Types.DataType;

namespace MLNetQuant.Tests.Batching;

/// <summary>What scores in batches leaves no temporary file, whether it succeeds or fails.</summary>
[Collection(nameof(TemporaryFileTests))]
public sealed class BatchedTemporaryFileTests : IDisposable
{
    private const int Failing = 30;

    private readonly ScratchFolder _elsewhere = new();
    private readonly OwnTemporaryFolder _temporary = new();
    private readonly MLContext _ml = new(seed: 1);
    private readonly string _model;
    private readonly IDataView _data;

    public BatchedTemporaryFileTests()
    {
        // A table of ten entries, and a row that asks for another.
        _model = new ModelFile().Input("x", DataType.Int64, -1, 1).Weights("W", 10, 5).Node("Gather", "y", "W", "x").Output("y", -1, 1, 5)
            .Save(_elsewhere["x.onnx"]);
        _data = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 40).Select(i => new Index { X = [i == Failing ? 99 : i % 10] }));
    }

    public void Dispose()
    {
        _temporary.Dispose();
        _elsewhere.Dispose();
    }

    [Fact]
    public void A_batched_step_has_no_temporary_file()
    {
        using (var model = _ml.Transforms.ApplyOnnxModelBatched("y", "x", _model, batchSize: 16).Fit(_data))
        {
            Score(model);
            _ml.Model.Save(model, _data.Schema, _elsewhere["model.zip"]);
            Assert.Empty(_temporary.Files());
        }

        _ml.Transforms.ApplyOnnxModelBatched(_model).GetOutputSchema(ShapeCapture.Of(_data));
        Assert.Empty(_temporary.Files());
    }

    [Fact]
    public void Batches_add_no_file_to_that_of_a_loaded_model()
    {
        using (var model = _ml.Transforms.ApplyOnnxModel(_model).Fit(_data))
            _ml.Model.Save(model, _data.Schema, _elsewhere["model.zip"]);
        var loaded = _ml.Model.Load(_elsewhere["model.zip"], out _);
        var before = _temporary.Files();
        using (var batched = loaded.Batched(batchSize: 16))
        {
            Score(batched);
            _ml.Model.Save(batched, _data.Schema, _elsewhere["again.zip"]);
            Assert.Equal(before, _temporary.Files());
        }

        Assert.Equal(before, _temporary.Files());
        (loaded as IDisposable)?.Dispose();
        Assert.Empty(_temporary.Files());
    }

    [Fact]
    public void A_quantized_model_that_scores_in_batches_has_one_file_until_it_is_disposed_of()
    {
        var model = Quantize().Fit(Fitting());
        Score(model);
        using (var batched = model.Batched(batchSize: 16))
            Score(batched);
        Assert.Single(_temporary.Files());
        model.Dispose();
        Assert.Empty(_temporary.Files());
    }

    [Fact]
    public void Disposing_in_the_middle_of_a_batch_leaves_no_file()
    {
        var model = Quantize().Fit(Fitting());
        var view = model.Transform(_data);
        using (var cursor = view.GetRowCursor([view.Schema["y"]]))
        {
            var get = cursor.GetGetter<VBuffer<float>>(view.Schema["y"]);
            VBuffer<float> y = default;
            Assert.True(cursor.MoveNext());
            get(ref y);
            model.Dispose();
            Assert.Empty(_temporary.Files());
        }

        Assert.Empty(_temporary.Files());
    }

    [Fact]
    public void Disposing_a_chain_deletes_the_files_of_its_steps()
    {
        var again = new ModelFile().Input("y2", DataType.Float, -1, 5).Weights("V", 5, 3).Node("MatMul", "z", "y2", "V").Output("z", -1, 3)
            .Save(_elsewhere["z.onnx"]);
        var chain = _ml.Transforms.ApplyOnnxModelBatched("y", "x", _model)
            .Append(_ml.Transforms.CopyColumns("y2", "y"))
            .Append(_ml.Transforms.QuantizeWeights(again))
            .Fit(Fitting());
        using (var batched = chain.Batched(batchSize: 16))
            Score(batched, "z");
        Assert.Single(_temporary.Files());
        chain.Dispose();
        Assert.Empty(_temporary.Files());
    }

    [Fact]
    public void A_failed_fit_leaves_no_file()
    {
        var without = _ml.Transforms.SelectColumns("z").Fit(Renamed()).Transform(Renamed());
        File.WriteAllText(_elsewhere["broken.onnx"], "no model");
        File.Copy(_model, _elsewhere["gone.onnx"]);
        var gone = _ml.Transforms.ApplyOnnxModelBatched(_elsewhere["gone.onnx"]);
        File.Delete(_elsewhere["gone.onnx"]);
        foreach (var fit in new Action[]
        {
            () => gone.Fit(_data),
            () => _ml.Transforms.ApplyOnnxModelBatched(_elsewhere["broken.onnx"]).Fit(_data),
            () => _ml.Transforms.ApplyOnnxModelBatched(["z"], ["x"], _model).Fit(_data),
            () => Quantize().Fit(without),
            () => _ml.Transforms.CopyColumns("z", "x").Append(_ml.Transforms.QuantizeWeights(["y"], ["x"], _elsewhere["broken.onnx"])).Fit(_data),
            () => _ml.Transforms.CopyColumns("z", "x").Fit(_data).Batched(),
        })
        {
            Assert.ThrowsAny<Exception>(fit);
            Assert.Empty(_temporary.Files());
        }

        IDataView Renamed() => _ml.Transforms.CopyColumns("z", "x").Fit(_data).Transform(_data);
    }

    [Theory]
    [InlineData("step")]
    [InlineData("quantized")]
    [InlineData("batched")]
    [InlineData("chain")]
    public void A_row_that_cannot_be_scored_leaves_no_file(string kind)
    {
        var model = Make(kind);
        var files = _temporary.Files().Length;
        var view = model.Transform(_data);
        Assert.ThrowsAny<Exception>(() => RowValues.Of(view, "y"));
        Assert.Equal(files, _temporary.Files().Length);
        (model as IDisposable)?.Dispose();
        Assert.Empty(_temporary.Files());
    }

    [Theory]
    [InlineData("step")]
    [InlineData("quantized")]
    [InlineData("batched")]
    [InlineData("chain")]
    public void A_source_that_fails_leaves_no_file(string kind)
    {
        var model = Make(kind);
        var source = new RecordingDataView(_data) { OnRow = row => Assert.NotEqual(20, row) };
        Assert.ThrowsAny<Exception>(() => RowValues.Of(model.Transform(source), "y"));
        (model as IDisposable)?.Dispose();
        Assert.Empty(_temporary.Files());
    }

    private ITransformer Make(string kind) => kind switch
    {
        "step" => _ml.Transforms.ApplyOnnxModelBatched("y", "x", _model, batchSize: 16).Fit(_data),
        "quantized" => Quantize().Fit(Fitting()),
        "batched" => _ml.Transforms.ApplyOnnxModel(_model).Fit(_data).Batched(batchSize: 16),
        _ => _ml.Transforms.CopyColumns("z", "x").Append(Quantize()).Fit(Fitting()),
    };

    private WeightQuantizingEstimator Quantize() => _ml.Transforms.QuantizeWeights("y", "x", _model);

    private IDataView Fitting() => _ml.Data.TakeRows(_data, Failing);

    private void Score(ITransformer model, string column = "y") => Assert.Equal(Failing, RowValues.Of(model.Transform(Fitting()), column).Count);

    private sealed class Index
    {
        [VectorType(1)]
        [ColumnName("x")]
        public long[] X { get; set; } = [];
    }
}
