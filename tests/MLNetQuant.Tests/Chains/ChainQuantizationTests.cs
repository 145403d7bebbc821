using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Onnx;
using MLNetQuant.Onnx;
using MLNetQuant.Tests.Data;

namespace MLNetQuant.Tests.Chains;

public sealed class ChainQuantizationTests : IDisposable
{
    private readonly TwoSteps _two = new();

    public void Dispose() => _two.Dispose();

    [Fact]
    public void Both_ONNX_steps_of_a_chain_are_quantized_and_reported()
    {
        using var model = _two.Pipeline.Fit(_two.Rows);
        var quantized = _two.ML.Model.QuantizeWeights(model, _two.Rows, out var report, TwoSteps.Options);

        Assert.Equal(["1", "3"], report.Quantized.Select(s => s.Position));
        Assert.All(report.Quantized, s => Assert.Equal("OnnxTransformer", s.TypeName));
        Assert.All(report.Quantized, s => Assert.Equal(2, Assert.Single(s.Report.Layers).Bits));
        Assert.All(report.Quantized, s => Assert.InRange(s.QuantizedBytes, 1, 100_000));
        Assert.Equal(report.Quantized.Sum(s => s.FloatBytes), report.FloatBytes);
        Assert.Empty(report.LeftAlone);
        using var json = JsonDocument.Parse(report.ToJson());
        Assert.Equal(report.FloatBytes, json.RootElement.GetProperty("floatBytes").GetInt64());
        Assert.Equal(
            report.Quantized[1].Report.Layers[0].RelativeError,
            json.RootElement.GetProperty("quantized")[1].GetProperty("report").GetProperty("layers")[0].GetProperty("relativeError").GetDouble());
        Assert.NotEqual(_two.Score(model)[0], _two.Score(quantized)[0]);
        (quantized as IDisposable)?.Dispose();
    }

    [Fact]
    public void A_later_step_is_calibrated_on_what_the_quantized_one_before_gives()
    {
        using var model = _two.Pipeline.Fit(_two.Rows);
        var quantized = _two.ML.Model.QuantizeWeights(model, _two.Rows, out var report, TwoSteps.Options);

        // The same by hand: the first quantized model alone, its rows, the second quantized on them.
        using var first = _two.ML.Transforms.QuantizeWeights(_two.First, TwoSteps.Options).Fit(_two.Rows);
        var hidden = _two.ML.Transforms.CopyColumns("hidden", "h").Fit(first.Transform(_two.Rows)).Transform(first.Transform(_two.Rows));
        using var second = _two.ML.Transforms.QuantizeWeights(_two.Second, TwoSteps.Options).Fit(hidden);
        Near.Equal([.. second.Transform(hidden).GetColumn<float[]>("Score")], _two.Score(quantized));
        Assert.Equal(second.Report.Layers[0].RelativeError, report.Quantized[1].Report.Layers[0].RelativeError);

        // And on the float rows it would be another.
        var floatRows = _two.ML.Transforms.ApplyOnnxModel(_two.First).Append(_two.ML.Transforms.CopyColumns("hidden", "h")).Fit(_two.Rows).Transform(_two.Rows);
        using var other = _two.ML.Transforms.QuantizeWeights(_two.Second, TwoSteps.Options).Fit(floatRows);
        Assert.NotEqual(other.Report.Layers[0].RelativeError, report.Quantized[1].Report.Layers[0].RelativeError);
        (quantized as IDisposable)?.Dispose();
    }

    [Fact]
    public void The_type_schema_and_columns_of_the_chain_stay()
    {
        using var model = _two.Pipeline.Fit(_two.Rows);
        using var quantized = Assert.IsType<TransformerChain<OnnxTransformer>>(_two.ML.Model.QuantizeWeights(model, _two.Rows, TwoSteps.Options));
        Assert.NotSame(model.LastTransformer, quantized.LastTransformer);
        Assert.Equal(SchemaText.Describe(model.GetOutputSchema(_two.Rows.Schema)), SchemaText.Describe(quantized.GetOutputSchema(_two.Rows.Schema)));
        Assert.Equal(model.Select(s => s.GetType()), quantized.Select(s => s.GetType()));
    }

    [Fact]
    public void Scopes_survive()
    {
        var chain = _two.ML.Transforms.ApplyOnnxModel(_two.First)
            .Append(_two.ML.Transforms.CopyColumns("trained", "h"), TransformerScope.Training)
            .Append(_two.ML.Transforms.CopyColumns("hidden", "h"))
            .Append(_two.ML.Transforms.CopyColumns("tested", "h"), TransformerScope.TrainTest)
            .Append(_two.ML.Transforms.ApplyOnnxModel(_two.Second), TransformerScope.Testing | TransformerScope.Scoring);
        using var model = chain.Fit(_two.Rows);
        using var quantized = (TransformerChain<OnnxTransformer>)_two.ML.Model.QuantizeWeights(model, _two.Rows, TwoSteps.Options);
        foreach (var scope in new[] { TransformerScope.Training, TransformerScope.Testing, TransformerScope.Scoring, TransformerScope.TrainTest, TransformerScope.None })
        {
            Assert.Equal(Names(model, scope), Names(quantized, scope));
            var loaded = (TransformerChain<ITransformer>)_two.ML.Model.Load(new MemoryStream(_two.Save(quantized)), out _);
            Assert.Equal(Names(model, scope), loaded.GetModelFor(scope).GetOutputSchema(_two.Rows.Schema, scope).Select(c => c.Name));
            loaded.Dispose();
        }

        string[] Names(TransformerChain<OnnxTransformer> chain, TransformerScope scope) =>
            [.. chain.GetModelFor(scope).GetOutputSchema(_two.Rows.Schema, scope).Select(c => c.Name)];
    }

    [Fact]
    public void A_step_for_training_alone_is_calibrated_on_the_rows_of_training()
    {
        var chain = _two.ML.Transforms.CopyColumns("x", "x")
            .Append(_two.ML.Transforms.ApplyOnnxModel(_two.First), TransformerScope.Training)
            .Append(_two.ML.Transforms.CopyColumns("hidden", "h"), TransformerScope.Training)
            .Append(_two.ML.Transforms.ApplyOnnxModel(_two.Second), TransformerScope.Training);
        using var model = chain.Fit(_two.Rows);
        var quantized = _two.ML.Model.QuantizeWeights(model, _two.Rows, out var report, TwoSteps.Options);
        Assert.Equal(["2", "4"], report.Quantized.Select(s => s.Position));
        (quantized as IDisposable)?.Dispose();
    }

    [Theory]
    [InlineData(TransformerScope.Training, TransformerScope.Everything, TransformerScope.Everything, true)]
    [InlineData(TransformerScope.Training, TransformerScope.Training, TransformerScope.Everything, false)]
    [InlineData(TransformerScope.Everything, TransformerScope.Training, TransformerScope.Training, true)]
    [InlineData(TransformerScope.Testing, TransformerScope.Testing, TransformerScope.Scoring, false)]
    public void The_same_step_in_two_places_keeps_both_scopes_and_gets_the_rows_of_each(
        TransformerScope first, TransformerScope middle, TransformerScope second, bool isBehind)
    {
        using var folder = new ScratchFolder();
        using var onnx = _two.ML.Transforms.ApplyOnnxModel(_two.First).Fit(_two.Rows);
        using var between = _two.ML.Transforms.CopyColumns("z", "x").Append(_two.ML.Transforms.ApplyOnnxModel(Relu(folder["relu.onnx"]))).Fit(_two.Rows);
        using var model = new TransformerChain<ITransformer>([onnx, between, onnx], [first, middle, second]);
        using var quantized = (TransformerChain<ITransformer>)_two.ML.Model.QuantizeWeights(model, _two.Rows, out var report, TwoSteps.Options);
        Assert.Equal(["1", "3"], report.Quantized.Select(s => s.Position));
        Assert.Equal([(int)first, (int)middle, (int)second], SavedModel.Parse(_two.Save(quantized)).ReadScopes());

        // The first place reads x; the second what the steps between make of it, if they take part where it does.
        using var onRows = _two.ML.Transforms.QuantizeWeights(_two.First, TwoSteps.Options).Fit(_two.Rows);
        using var behind = _two.ML.Transforms.QuantizeWeights(_two.First, TwoSteps.Options).Fit(between.Transform(_two.Rows));
        Assert.NotEqual(Error(onRows.Report), Error(behind.Report));
        Assert.Equal(Error(onRows.Report), Error(report.Quantized[0].Report));
        Assert.Equal(Error((isBehind ? behind : onRows).Report), Error(report.Quantized[1].Report));

        static double? Error(QuantizationReport report) => report.Layers[0].RelativeError;
    }

    [Fact]
    public void The_same_step_in_two_places_of_other_scopes_is_refused_where_the_chain_cannot_be_saved()
    {
        using var onnx = _two.ML.Transforms.ApplyOnnxModel(_two.First).Fit(_two.Rows);
        var chain = new TransformerChain<ITransformer>(
            [onnx, new Unsaveable(), onnx], [TransformerScope.Training, TransformerScope.Everything, TransformerScope.Everything]);
        Assert.Equal(
            "One step stands in several places of the model with different scopes, which only its saved form tells apart, and it cannot be saved (The vault is shut): fit the step anew for each place, or make all steps ones that can be saved.",
            Assert.Throws<QuantizationException>(() => _two.ML.Model.QuantizeWeights(chain, _two.Rows)).Message);
        var plain = new TransformerChain<ITransformer>(onnx, new Unsaveable(), onnx);
        Assert.IsType<TransformerChain<ITransformer>>(_two.ML.Model.QuantizeWeights(plain, _two.Rows, TwoSteps.Options)).Dispose();
    }

    [Fact]
    public void Chains_in_chains_are_walked()
    {
        var inner = _two.ML.Transforms.CopyColumns("hidden", "h").Append(_two.ML.Transforms.ApplyOnnxModel(_two.Second));
        using var model = _two.ML.Transforms.ApplyOnnxModel(_two.First).Append(inner).Fit(_two.Rows);
        using var flat = _two.Pipeline.Fit(_two.Rows);
        var quantized = _two.ML.Model.QuantizeWeights(model, _two.Rows, out var report, TwoSteps.Options);
        var expected = _two.ML.Model.QuantizeWeights(flat, _two.Rows, TwoSteps.Options);
        Assert.Equal(["1", "2.2"], report.Quantized.Select(s => s.Position));
        Assert.IsType(model.GetType(), quantized);
        Near.Equal(_two.Score(expected), _two.Score(quantized));
        (quantized as IDisposable)?.Dispose();
        (expected as IDisposable)?.Dispose();
    }

    [Fact]
    public void A_single_transformer_becomes_a_single_transformer()
    {
        using var model = _two.ML.Transforms.ApplyOnnxModel(_two.First).Fit(_two.Rows);
        using var quantized = Assert.IsType<OnnxTransformer>(_two.ML.Model.QuantizeWeights(model, _two.Rows, out var report, TwoSteps.Options));
        Assert.Equal("1", Assert.Single(report.Quantized).Position);
        using var expected = _two.ML.Transforms.QuantizeWeights(_two.First, TwoSteps.Options).Fit(_two.Rows);
        Near.Equal([.. expected.Transform(_two.Rows).GetColumn<float[]>("h")], [.. quantized.Transform(_two.Rows).GetColumn<float[]>("h")]);
    }

    [Fact]
    public void A_loaded_model_is_quantized_as_the_fitted_one()
    {
        using var model = _two.Pipeline.Fit(_two.Rows);
        using var loaded = (TransformerChain<ITransformer>)_two.ML.Model.Load(new MemoryStream(_two.Save(model)), out _);
        var quantized = _two.ML.Model.QuantizeWeights(model, _two.Rows, TwoSteps.Options);
        var fromZip = _two.ML.Model.QuantizeWeights(loaded, _two.Rows, TwoSteps.Options);
        Near.Equal(_two.Score(quantized), _two.Score(fromZip));
        (quantized as IDisposable)?.Dispose();
        (fromZip as IDisposable)?.Dispose();
    }

    [Fact]
    public void The_same_rows_and_seed_give_the_same_models_in_the_zip()
    {
        using var model = _two.Pipeline.Fit(_two.Rows);
        Assert.Equal(Models(), Models());

        string[] Models()
        {
            var quantized = _two.ML.Model.QuantizeWeights(model, _two.Rows, TwoSteps.Options);
            var saved = SavedModel.Parse(_two.Save(quantized));
            (quantized as IDisposable)?.Dispose();
            return [.. saved.Steps.Where(s => s.Kind == SavedStepKind.Onnx).Select(s => Convert.ToBase64String(saved.ReadOnnx(s).Model.ToBytes()))];
        }
    }

    [Fact]
    public void What_is_quantized_already_is_left_alone()
    {
        using var once = _two.ML.Transforms.QuantizeWeights(_two.First, TwoSteps.Options).Fit(_two.Rows);
        Assert.Same(once, _two.ML.Model.QuantizeWeights(once, _two.Rows, out var report, TwoSteps.Options));
        Assert.Equal(("1", "WeightQuantizingTransformer", "it is quantized already"), Only(report));

        using var loaded = (IDisposable)_two.ML.Model.Load(new MemoryStream(_two.Save(once)), out _);
        Assert.Same(loaded, _two.ML.Model.QuantizeWeights((ITransformer)loaded, _two.Rows, TwoSteps.Options));

        using var half = _two.ML.Transforms.QuantizeWeights(_two.First, TwoSteps.Options)
            .Append(_two.ML.Transforms.CopyColumns("hidden", "h"))
            .Append(_two.ML.Transforms.ApplyOnnxModel(_two.Second)).Fit(_two.Rows);
        using var whole = (TransformerChain<OnnxTransformer>)_two.ML.Model.QuantizeWeights(half, _two.Rows, out report, TwoSteps.Options);
        Assert.Equal(("1", "WeightQuantizingTransformer", "it is quantized already"), Only(report));
        Assert.Equal("3", Assert.Single(report.Quantized).Position);
        Assert.Same(half.First(), whole.First());

        static (string, string, string) Only(ChainQuantizationReport report)
        {
            var step = Assert.Single(report.LeftAlone);
            return (step.Position, step.TypeName, step.Reason);
        }
    }

    [Fact]
    public void A_limit_that_no_layer_keeps_leaves_the_step_alone()
    {
        using var model = _two.ML.Transforms.ApplyOnnxModel(_two.First).Fit(_two.Rows);
        Assert.Same(model, _two.ML.Model.QuantizeWeights(model, _two.Rows, out var report, TwoSteps.Options with { MaxLayerError = 1e-9 }));
        Assert.Matches("relative error", Assert.Single(report.LeftAlone).Reason);
    }

    [Fact]
    public void A_fixed_shape_of_a_step_holds_in_calibration()
    {
        using var folder = new ScratchFolder();
        var path = new Models.ModelFile()
            .Input("x", Onnx.Proto.TensorProto.Types.DataType.Float, -1, -1, -1)
            .Weights("A", 4, 3)
            .Node("MatMul", "y", "x", "A")
            .Output("y", -1, -1, 3)
            .Save(folder["open.onnx"]);
        using var model = _two.ML.Transforms
            .ApplyOnnxModel(["y"], ["x"], path, new Dictionary<string, int[]> { ["x"] = [1, 2, 4], ["y"] = [1, 2, 3] }, gpuDeviceId: null, fallbackToCpu: false)
            .Fit(_two.Rows);
        using var quantized = (OnnxTransformer)_two.ML.Model.QuantizeWeights(model, _two.Rows, out var report);
        Assert.Equal(400, Assert.Single(report.Quantized).Report.Layers[0].CalibrationRows);
        Assert.Equal(SchemaText.Describe(model.GetOutputSchema(_two.Rows.Schema)), SchemaText.Describe(quantized.GetOutputSchema(_two.Rows.Schema)));
    }

    /// <summary>z → x, its negative values cut off.</summary>
    private static string Relu(string path) => new Models.ModelFile()
        .Input("z", Onnx.Proto.TensorProto.Types.DataType.Float, -1, 8)
        .Node("Relu", "x", "z")
        .Output("x", -1, 8)
        .Save(path);
}
