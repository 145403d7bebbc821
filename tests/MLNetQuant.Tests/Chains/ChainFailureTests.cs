using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;

namespace MLNetQuant.Tests.Chains;

public sealed class ChainFailureTests : IDisposable
{
    private readonly TwoSteps _two = new();

    public void Dispose() => _two.Dispose();

    [Fact]
    public void A_model_without_a_step_to_quantize_is_refused_and_the_report_tells_why()
    {
        using var folder = new ScratchFolder();
        using var relu = _two.ML.Transforms.CopyColumns("x", "x").Append(_two.ML.Transforms.ApplyOnnxModel(Relu(folder["relu.onnx"]))).Fit(_two.Rows);
        Assert.Equal(
            "The model has no step to quantize (step 2, OnnxTransformer: its nodes have no constant weights): give a model with an ONNX step or a linear model, or ask for the report to go on without.",
            Message(() => _two.ML.Model.QuantizeWeights(relu, _two.Rows)));
        Assert.Same(relu, _two.ML.Model.QuantizeWeights(relu, _two.Rows, out var report));
        Assert.Equal("its nodes have no constant weights", Assert.Single(report.LeftAlone).Reason);

        var copy = _two.ML.Transforms.CopyColumns("y", "x").Fit(_two.Rows);
        Assert.StartsWith("The model has no step to quantize (none of its steps was learned)", Message(() => _two.ML.Model.QuantizeWeights(copy, _two.Rows)), StringComparison.Ordinal);
    }

    [Fact]
    public void Patterns_that_leave_a_step_without_layers_leave_it_alone()
    {
        using var model = _two.ML.Transforms.ApplyOnnxModel(_two.First).Fit(_two.Rows);
        Assert.Same(model, _two.ML.Model.QuantizeWeights(model, _two.Rows, out var report, TwoSteps.Options with { Exclude = ["."] }));
        Assert.Matches("none of its layers can be quantized .*the exclude pattern", Assert.Single(report.LeftAlone).Reason);
    }

    [Fact]
    public void A_step_that_scores_in_batches_is_left_alone_and_the_others_are_not()
    {
        using var model = _two.ML.Transforms.ApplyOnnxModelBatched(_two.First).Append(_two.ML.Transforms.CopyColumns("hidden", "h"))
            .Append(_two.ML.Transforms.ApplyOnnxModel(_two.Second)).Fit(_two.Rows);
        var quantized = _two.ML.Model.QuantizeWeights(model, _two.Rows, out var report, TwoSteps.Options);
        Assert.Equal("3", Assert.Single(report.Quantized).Position);
        var left = Assert.Single(report.LeftAlone);
        Assert.Equal(("1", nameof(BatchedOnnxTransformer)), (left.Position, left.TypeName));
        Assert.StartsWith("it scores in batches", left.Reason, StringComparison.Ordinal);
        (quantized as IDisposable)?.Dispose();
    }

    [Fact]
    public void A_step_that_cannot_be_saved_is_left_alone_with_the_cause()
    {
        using var onnx = _two.ML.Transforms.ApplyOnnxModel(_two.First).Fit(_two.Rows);
        var model = new TransformerChain<ITransformer>(new Unsaveable(), onnx);
        var quantized = _two.ML.Model.QuantizeWeights(model, _two.Rows, out var report, TwoSteps.Options);
        Assert.Equal("2", Assert.Single(report.Quantized).Position);
        Assert.Equal(
            new UnquantizedStep("1", nameof(Unsaveable), "it cannot be saved, so that its weights cannot be read (The vault is shut)"),
            Assert.Single(report.LeftAlone));
        (quantized as IDisposable)?.Dispose();
    }

    [UnixFact]
    public void An_ONNX_step_whose_file_is_gone_is_an_error_that_names_the_file()
    {
        using var folder = new ScratchFolder();
        var path = folder["lost.onnx"];
        File.Copy(_two.First, path);
        using var model = _two.ML.Transforms.CopyColumns("copy", "x").Append(_two.ML.Transforms.ApplyOnnxModel(path)).Fit(_two.Rows);
        File.Move(path, folder["elsewhere.onnx"]);
        var message = Message(() => _two.ML.Model.QuantizeWeights(model, _two.Rows, out _, TwoSteps.Options));
        Assert.StartsWith("The ONNX model of step 2 (OnnxTransformer) cannot be read, because its file is gone (", message, StringComparison.Ordinal);
        Assert.Contains("lost.onnx", message, StringComparison.Ordinal);
        Assert.EndsWith(": put the file back, or fit or load the model again.", message, StringComparison.Ordinal);

        // One that takes part in nothing does not need it.
        var idle = new TransformerChain<ITransformer>([model], [TransformerScope.None]);
        Assert.Same(idle, _two.ML.Model.QuantizeWeights(idle, _two.Rows, out _, TwoSteps.Options));
        idle = new TransformerChain<ITransformer>([model.LastTransformer], [TransformerScope.None]);
        Assert.Same(idle, _two.ML.Model.QuantizeWeights(idle, _two.Rows, out var report, TwoSteps.Options));
        Assert.Equal(new UnquantizedStep("1", "OnnxTransformer", "its scope lets it take part in nothing"), Assert.Single(report.LeftAlone));
    }

    [UnixFact]
    public void An_ONNX_step_that_cannot_be_saved_though_its_file_is_there_is_left_alone_with_the_cause()
    {
        using var folder = new ScratchFolder();
        var path = folder["large.onnx"];
        File.Copy(_two.First, path);
        using var model = _two.Pipeline.Append(_two.ML.Transforms.ApplyOnnxModel(path)).Fit(_two.Rows);
        using (var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            file.SetLength(3L << 30);
        var quantized = _two.ML.Model.QuantizeWeights(model, _two.Rows, out var report, TwoSteps.Options);
        Assert.Equal(["1", "3"], report.Quantized.Select(s => s.Position));
        var left = Assert.Single(report.LeftAlone);
        Assert.Equal(("4", "OnnxTransformer"), (left.Position, left.TypeName));
        Assert.StartsWith("it cannot be saved, so that its weights cannot be read (", left.Reason, StringComparison.Ordinal);
        Assert.Contains("file is too long", left.Reason, StringComparison.Ordinal);
        (quantized as IDisposable)?.Dispose();
    }

    [Fact]
    public void Data_without_rows_are_refused()
    {
        using var model = _two.Pipeline.Fit(_two.Rows);
        var none = _two.ML.Data.LoadFromEnumerable(Array.Empty<TwoSteps.Row>());
        Assert.Equal("The calibration data has no rows (column 'x'): fit on at least one row.", Message(() => _two.ML.Model.QuantizeWeights(model, none)));
    }

    [Fact]
    public void Data_without_a_column_are_refused_with_the_step_that_needs_it()
    {
        using var model = _two.Pipeline.Fit(_two.Rows);
        var other = _two.ML.Transforms.SelectColumns("z").Fit(Renamed()).Transform(Renamed());
        Assert.Equal(
            "The data has no column 'x', an input of the model 'step 1 (OnnxTransformer)' (it has 'z'): add it, for example with CopyColumns.",
            Message(() => _two.ML.Model.QuantizeWeights(model, other)));
        using var behind = _two.ML.Transforms.CopyColumns("w", "x").Append(_two.ML.Transforms.ApplyOnnxModel(_two.First)).Fit(_two.Rows);
        Assert.StartsWith("The calibration data do not fit step 1 (ColumnCopyingTransformer): ", Message(() => _two.ML.Model.QuantizeWeights(behind, other)), StringComparison.Ordinal);

        IDataView Renamed() => _two.ML.Transforms.CopyColumns("z", "x").Fit(_two.Rows).Transform(_two.Rows);
    }

    [Fact]
    public void Bad_arguments_are_refused()
    {
        using var model = _two.ML.Transforms.ApplyOnnxModel(_two.First).Fit(_two.Rows);
        Assert.Throws<ArgumentNullException>(() => _two.ML.Model.QuantizeWeights(null!, _two.Rows));
        Assert.Throws<ArgumentNullException>(() => _two.ML.Model.QuantizeWeights(model, null!));
        Assert.Equal("Bits is 9: give a whole number from 1 to 8.", Message(() => _two.ML.Model.QuantizeWeights(model, _two.Rows, new() { Bits = 9 })));
        Assert.Equal("Bits is 9: give a whole number from 1 to 8.", Message(() => _two.Pipeline.WithQuantizedWeights(_two.ML, new() { Bits = 9 })));
        Assert.Throws<ArgumentNullException>(() => _two.Pipeline.WithQuantizedWeights(null!));
    }

    [Fact]
    public void Cancelling_ends_the_walk()
    {
        using var model = _two.Pipeline.Fit(_two.Rows);
        using var source = new CancellationTokenSource();
        var options = TwoSteps.Options with { CancellationToken = source.Token, Progress = new Canceller(source) };
        Assert.ThrowsAny<OperationCanceledException>(() => _two.ML.Model.QuantizeWeights(model, _two.Rows, options));
    }

    private static string Message(Func<object> act) => Assert.Throws<QuantizationException>(act).Message;

    private static string Relu(string path) => new ModelFile()
        .Input("x", Onnx.Proto.TensorProto.Types.DataType.Float, -1, 8)
        .Node("Relu", "y", "x")
        .Output("y", -1, 8)
        .Save(path);

    private sealed class Canceller(CancellationTokenSource source) : IProgress<QuantizationProgress>
    {
        private int _verified;

        public void Report(QuantizationProgress value)
        {
            if (value.Stage == "calibrate" && _verified > 0)
                source.Cancel();
            if (value.Stage == "verify")
                _verified++;
        }
    }
}
