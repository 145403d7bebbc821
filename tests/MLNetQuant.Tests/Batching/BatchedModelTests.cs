using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Onnx;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;
using DataType = MLNetQuant.Onnx.Proto.TensorProto.Types.DataType;

namespace MLNetQuant.Tests.Batching;

/// <summary>Whole models with ONNX steps in them, and the entry points.</summary>
public sealed class BatchedModelTests : IDisposable
{
    private readonly ScratchFolder _folder = new();
    private readonly MLContext _ml = new(seed: 1);
    private readonly string _file;
    private readonly IDataView _data;

    public BatchedModelTests()
    {
        _file = SmallModels.Linear(_folder["x.onnx"], 4);
        _data = MixedRow.View(_ml, 300);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Steps_of_a_chain_and_of_chains_in_it_are_batched()
    {
        var second = new ModelFile().Input("x2", DataType.Float, -1, 5).Node("Relu", "z", "x2").Output("z", -1, 5).Save(_folder["z.onnx"]);
        var inner = _ml.Transforms.CopyColumns("x2", "y").Append(_ml.Transforms.ApplyOnnxModel(second));
        using var model = _ml.Transforms.ApplyOnnxModel(_file).Append(inner).Append(_ml.Transforms.CopyColumns("last", "z")).Fit(_data);
        using var batched = model.Batched(batchSize: 100);
        Assert.Equal(["ONNX step 1", "ONNX step 2"], batched.Steps.Select(s => s.Name));
        Assert.All(batched.Steps, s => Assert.Equal(100, s.BatchSize));
        Assert.IsAssignableFrom<IDataView>(batched.Transform(_data));
        RowValues.AssertNear(RowValues.Of(model.Transform(_data)), RowValues.Of(batched.Transform(_data)));
        Assert.All(batched.Steps, s => Assert.Null(s.RowByRowReason));
        Assert.Equal(model.GetOutputSchema(_data.Schema).Select(c => c.Name), batched.GetOutputSchema(_data.Schema).Select(c => c.Name));
    }

    [Fact]
    public void Steps_for_training_alone_do_not_score()
    {
        var model = new TransformerChain<ITransformer>(
            [_ml.Transforms.CopyColumns("training", "Number").Fit(_data), _ml.Transforms.ApplyOnnxModel(_file).Fit(_data)],
            [TransformerScope.Training, TransformerScope.Everything]);
        using var batched = model.Batched();
        Assert.Null(batched.Transform(_data).Schema.GetColumnOrNull("training"));
        Assert.NotNull(batched.Transform(_data).Schema.GetColumnOrNull("y"));
    }

    [Fact]
    public void The_saved_form_is_that_of_the_model()
    {
        using var model = _ml.Transforms.CopyColumns("copy", "Number").Append(_ml.Transforms.ApplyOnnxModelBatched("y", "x", _file)).Fit(_data);
        using var batched = model.Batched();
        foreach (var saved in new ITransformer[] { model, batched })
        {
            _ml.Model.Save(saved, _data.Schema, _folder["model.zip"]);
            var loaded = _ml.Model.Load(_folder["model.zip"], out _);
            Assert.DoesNotContain("Batched", string.Join(' ', ((IEnumerable<ITransformer>)loaded).Select(t => t.GetType().Name)), StringComparison.Ordinal);
            RowValues.AssertNear(RowValues.Of(loaded.Transform(_data)), RowValues.Of(saved.Transform(_data)));
        }
    }

    [Fact]
    public void A_prediction_engine_scores_one_row()
    {
        var model = _ml.Transforms.ApplyOnnxModel(_file).Fit(_data);
        var batched = model.Batched();
        var row = new MixedRow { X = [1, 2, 3, 4] };
        using var plain = _ml.Model.CreatePredictionEngine<MixedRow, Scored>(model);
        using var engine = _ml.Model.CreatePredictionEngine<MixedRow, Scored>(batched);
        Assert.Equal(plain.Predict(row).Y, engine.Predict(row).Y);
    }

    [Fact]
    public void Several_inputs_and_outputs_are_batched_and_each_can_be_left_out()
    {
        var file = SmallModels.TwoByTwo(_folder["two.onnx"]);
        var a = SmallModels.Rows(300, 4, seed: 1);
        var b = SmallModels.Rows(300, 3, seed: 2);
        var data = _ml.Data.LoadFromEnumerable(a.Zip(b, (x, y) => new Pair { A = x, B = y }));
        using var rowByRow = _ml.Transforms.ApplyOnnxModel(file).Fit(data);
        using var all = _ml.Transforms.ApplyOnnxModelBatched(file).Fit(data);
        using var one = _ml.Transforms.ApplyOnnxModelBatched(["difference"], ["a", "b"], file).Fit(data);
        foreach (var columns in new[] { new[] { "sum", "difference" }, ["difference"], ["sum", "a"] })
            RowValues.AssertNear(RowValues.Of(rowByRow.Transform(data), columns), RowValues.Of(all.Transform(data), columns));
        RowValues.AssertNear(RowValues.Of(rowByRow.Transform(data), "difference"), RowValues.Of(one.Transform(data), "difference"));
        Assert.Null(one.Transform(data).Schema.GetColumnOrNull("sum"));
        Assert.Null(all.Scoring.RowByRowReason);
    }

    [Fact]
    public void The_estimator_promises_the_columns_that_ApplyOnnxModel_promises()
    {
        var shape = ShapeCapture.Of(_data);
        Assert.Equal(
            ShapeCapture.Describe(_ml.Transforms.ApplyOnnxModel(_file).GetOutputSchema(shape)),
            ShapeCapture.Describe(_ml.Transforms.ApplyOnnxModelBatched(_file).GetOutputSchema(shape)));
    }

    [Fact]
    public void The_quantized_transformer_scores_in_batches_and_can_be_given_others()
    {
        using var model = _ml.Transforms.QuantizeWeights(_file).Fit(_data);
        _ml.Model.Save(model, _data.Schema, _folder["model.zip"]);
        var recorded = new RecordingDataView(_data);
        RowValues.AssertNear(
            RowValues.Of(_ml.Model.Load(_folder["model.zip"], out _).Transform(_data), "y"), RowValues.Of(model.Transform(recorded), "y"));
        Assert.Equal(1024, model.Scoring.BatchSize);
        using (var batched = model.Batched(batchSize: 10))
        {
            var view = batched.Transform(new RecordingDataView(_data));
            Assert.Equal(10, Assert.Single(batched.Steps).BatchSize);
            RowValues.AssertNear(RowValues.Of(model.Transform(_data), "y"), RowValues.Of(view, "y"));
        }

        // The model is the caller's: it outlives what was made of it.
        Assert.Equal(300, RowValues.Of(model.Transform(_data), "y").Count);
    }

    [Fact]
    public void A_model_that_is_disposed_of_refuses_to_score()
    {
        var model = _ml.Transforms.ApplyOnnxModelBatched(_file).Fit(_data);
        var batched = model.Batched();
        var view = model.Transform(_data);
        model.Dispose();
        model.Dispose();
        batched.Dispose();
        Assert.Throws<ObjectDisposedException>(() => model.Transform(_data));
        Assert.Throws<ObjectDisposedException>(() => model.GetOutputSchema(_data.Schema));
        Assert.Throws<ObjectDisposedException>(() => batched.Transform(_data));
        Assert.Throws<ObjectDisposedException>(() => RowValues.Of(view, "y"));
    }

    [Fact]
    public void A_quantized_model_that_is_disposed_of_before_its_view_is_read_refuses_to_score()
    {
        var quantized = _ml.Transforms.QuantizeWeights(_file).Fit(_data);
        var view = quantized.Transform(_data);
        quantized.Dispose();
        Assert.Throws<ObjectDisposedException>(() => RowValues.Of(view, "y"));
    }

    [UnixFact]
    public void A_model_file_that_changes_or_goes_after_the_fit_changes_no_score()
    {
        using var model = _ml.Transforms.ApplyOnnxModelBatched(_file).Fit(_data);
        using var later = _ml.Transforms.ApplyOnnxModelBatched(_file).Fit(_data);
        using var loaded = _ml.Transforms.ApplyOnnxModel(_file).Fit(_data);
        var expected = RowValues.Of(loaded.Transform(_data), "y");
        using var batched = loaded.Batched();
        new ModelFile().Input("x", DataType.Float, -1, 4).Node("Relu", "y", "x").Output("y", -1, 4).Save(_folder["other.onnx"]);
        File.Move(_folder["other.onnx"], _file, overwrite: true);
        RowValues.AssertNear(expected, RowValues.Of(batched.Transform(_data), "y"));
        RowValues.AssertNear(expected, RowValues.Of(model.Transform(_data), "y"));
        File.Delete(_file);
        RowValues.AssertNear(expected, RowValues.Of(later.Transform(_data), "y"));
        Assert.Null(Assert.Single(batched.Steps).RowByRowReason);
        Assert.Null(model.Scoring.RowByRowReason);
        Assert.Null(later.Scoring.RowByRowReason);
    }

    [UnixFact]
    public void Without_the_model_file_saving_and_batching_say_which_file_to_put_back()
    {
        using var model = _ml.Transforms.ApplyOnnxModelBatched(_file).Fit(_data);
        using var rowByRow = _ml.Transforms.ApplyOnnxModel(_file).Fit(_data);
        File.Delete(_file);
        var saving = Assert.Throws<QuantizationException>(() => _ml.Model.Save(model, _data.Schema, _folder["model.zip"])).Message;
        Assert.Contains(" cannot be saved, because ML.NET then reads its model file once more (", saving, StringComparison.Ordinal);
        Assert.Contains(_file, saving, StringComparison.Ordinal);
        Assert.EndsWith("): put the file back, or fit or load the model again.", saving, StringComparison.Ordinal);
        var batching = Assert.Throws<QuantizationException>(() => rowByRow.Batched());
        Assert.IsType<FileNotFoundException>(batching.InnerException);
        Assert.Equal(
            $"ONNX step 1: its model cannot be read: {batching.InnerException.Message.TrimEnd('.')}: put the file back, or fit or load the model again.",
            batching.Message);
        Assert.Contains(_file, Assert.Throws<QuantizationException>(() => _ml.Transforms.ApplyOnnxModelBatched(_file).Fit(_data)).Message, StringComparison.Ordinal);
    }

    [LinuxFact]
    public void Data_that_do_not_fit_leave_no_model_open()
    {
        using (_ml.Transforms.ApplyOnnxModelBatched(_file).Fit(_data))
            Assert.Contains(_file, LinuxFactAttribute.OpenFiles);
        var none = _ml.Data.LoadFromEnumerable(new[] { new Scored() });
        Assert.ThrowsAny<Exception>(() => _ml.Transforms.ApplyOnnxModelBatched(_file).Fit(none));
        Assert.DoesNotContain(_file, LinuxFactAttribute.OpenFiles);
        Assert.ThrowsAny<Exception>(() => _ml.Transforms.ApplyOnnxModelBatched(_file).GetOutputSchema(ShapeCapture.Of(none)));
        Assert.DoesNotContain(_file, LinuxFactAttribute.OpenFiles);
    }

    [LinuxFact]
    public void A_log_that_throws_leaves_no_model_open()
    {
        // The step tells at the end of the fit that its rows are scored one by one.
        var file = new ModelFile().Input("x", DataType.Float, -1, 4).Weights("W", 4, 5)
            .Quantize("x8", "scale", "zero", "x").Node("DequantizeLinear", "d", "x8", "scale", "zero")
            .Node("MatMul", "y", "d", "W").Output("y", -1, 5).Save(_folder["dynamic.onnx"]);
        var ml = new MLContext(seed: 1);
        string[] open = [];
        ml.Log += (_, e) =>
        {
            if (!e.RawMessage.Contains("one by one", StringComparison.Ordinal) && !e.RawMessage.Contains("so that scores differ", StringComparison.Ordinal))
                return;
            open = [.. LinuxFactAttribute.OpenFiles.Where(f => Path.GetFileName(f).StartsWith("mlnetquant-", StringComparison.Ordinal))];
            throw new NotSupportedException("full");
        };
        Assert.Throws<NotSupportedException>(() => ml.Transforms.QuantizeWeights("y", "x", file, context: ml).Fit(_data));
        Assert.NotEmpty(open);
        Assert.Empty(LinuxFactAttribute.OpenFiles.Intersect(open.Select(f => $"{f} (deleted)")));
        Assert.Throws<NotSupportedException>(() => ml.Transforms.ApplyOnnxModelBatched(new BatchedOnnxOptions { ModelFile = file, Environment = ml }).Fit(_data));
        Assert.DoesNotContain(file, LinuxFactAttribute.OpenFiles);
    }

    [Fact]
    public void A_GPU_that_is_not_there_is_an_error_unless_the_CPU_may_stand_in()
    {
        // The packages of the tests have no CUDA. Where ONNX Runtime lacks even the function that asks for it, ML.NET's own step does
        // not fall back.
        var options = new BatchedOnnxOptions { ModelFile = _file, GpuDeviceId = 0 };
        Assert.ThrowsAny<Exception>(() => _ml.Transforms.ApplyOnnxModelBatched(options).Fit(_data));
        var step = Record.Exception(() => _ml.Transforms.ApplyOnnxModel(new OnnxOptions { ModelFile = _file, InputColumns = [], OutputColumns = [], GpuDeviceId = 0, FallbackToCpu = true }).Fit(_data).Dispose());
        if (step is not null)
        {
            Assert.ThrowsAny<Exception>(() => _ml.Transforms.ApplyOnnxModelBatched(options with { FallbackToCpu = true }).Fit(_data));
            return;
        }

        using var rowByRow = _ml.Transforms.ApplyOnnxModel(_file).Fit(_data);
        using var model = _ml.Transforms.ApplyOnnxModelBatched(options with { FallbackToCpu = true }).Fit(_data);
        RowValues.AssertNear(RowValues.Of(rowByRow.Transform(_data), "y"), RowValues.Of(model.Transform(_data), "y"));
        Assert.Null(model.Scoring.RowByRowReason);
    }

    [Fact]
    public void Batches_run_on_the_GPU_of_the_context()
    {
        using var rowByRow = _ml.Transforms.ApplyOnnxModel(_file).Fit(_data);
        foreach (var fallback in new[] { false, true })
        {
            var ml = new MLContext { GpuDeviceId = 0, FallbackToCpu = fallback };
            using var batched = rowByRow.Batched(environment: ml);
            RowValues.AssertNear(RowValues.Of(rowByRow.Transform(_data), "y"), RowValues.Of(batched.Transform(_data), "y"));
            var reason = Assert.Single(batched.Steps).RowByRowReason;
            Assert.Equal(fallback, reason is null);
        }
    }

    [Fact]
    public void What_cannot_be_batched_is_refused_in_a_sentence()
    {
        var copy = _ml.Transforms.CopyColumns("copy", "Number").Fit(_data);
        Assert.Contains("no ONNX step", Assert.Throws<QuantizationException>(() => copy.Batched()).Message, StringComparison.Ordinal);
        using var model = _ml.Transforms.ApplyOnnxModel(_file).Fit(_data);
        foreach (var size in new[] { 0, -1 })
        {
            Assert.Contains($"{size}", Assert.Throws<QuantizationException>(() => model.Batched(size)).Message, StringComparison.Ordinal);
            Assert.Throws<QuantizationException>(() => _ml.Transforms.ApplyOnnxModelBatched("y", "x", _file, size));
        }
    }

    private sealed class Scored
    {
        [ColumnName("y")]
        public float[] Y { get; set; } = [];
    }
}
