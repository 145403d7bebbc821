using Google.Protobuf;
using MLNetQuant.Onnx.Proto;
using MLNetQuant.Onnx.Tests.Models;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.Tests;

/// <summary>Everything a caller may get wrong ends in one sentence of a <see cref="QuantizationException"/>.</summary>
public class QuantizationErrorTests
{
    public static TheoryData<string, QuantizationOptions> BadOptions => new()
    {
        { "Bits is 0: give a whole number from 1 to 8.", new() { Bits = 0 } },
        { "Bits is 9: give a whole number from 1 to 8.", new() { Bits = 9 } },
        { "Percentile is 0: give a number above 0 and at most 100.", new() { Percentile = 0 } },
        { "Percentile is NaN: give a number above 0 and at most 100.", new() { Percentile = double.NaN } },
        { "There is no scale rule 7: use AbsMax, Mse, WeightedMse or Percentile.", new() { ScaleRule = (Grids.ScaleRule)7 } },
        { "There is no zero point rule 7: use None, Range, HalfQuadratic, LeastError or Automatic.", new() { ZeroPoint = (Grids.ZeroPointRule)7 } },
        { "Seed is -1: give a whole number of 0 or more.", new() { Seed = -1 } },
        { "Rows is 0: give a whole number of 1 or more, or none for all rows.", new() { Rows = 0 } },
        { "BatchSize is 0: give a whole number of 1 or more.", new() { BatchSize = 0 } },
        { "RowsPerLayer is 0: give a whole number of 1 or more.", new() { RowsPerLayer = 0 } },
        { "Threads is -1: give a whole number of 0 (all processors) or more.", new() { Threads = -1 } },
        { "There is no weight format 99: use Auto, Folded, Float, Integer, Dynamic or Packed.", new() { Format = (WeightFormat)99 } },
    };

    [Theory]
    [MemberData(nameof(BadOptions))]
    public void An_option_out_of_range_is_named_with_its_range(string sentence, QuantizationOptions options) =>
        Assert.Equal(sentence, Refusal(SmallNets.OneLayer(), options));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_pattern_that_is_none_is_quoted(bool include)
    {
        var message = Refusal(SmallNets.OneLayer(), include ? new() { Include = ["lay(er"] } : new() { Exclude = ["lay(er"] });
        Assert.StartsWith("The layer pattern 'lay(er' is not a regular expression: ", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_without_weights_is_refused()
    {
        var b = new GraphBuilder().Input("x", "N,4").Node("Relu", "x", "y").Output("y");
        Assert.Equal(
            "The model 'test' has no layer to quantize (none of its nodes has constant weights): give a model with MatMul, Gemm or Conv weights, or widen the patterns.",
            Refusal(b, new()));
    }

    [Fact]
    public void Patterns_that_leave_nothing_are_refused_with_the_reasons()
    {
        Assert.Contains("('layer': the exclude pattern '.' matches its name)", Refusal(SmallNets.OneLayer(), new() { Exclude = ["."] }), StringComparison.Ordinal);
        Assert.Contains("('layer': no include pattern matches its name)", Refusal(SmallNets.OneLayer(), new() { Include = ["nothing"] }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_weight_that_is_not_finite_is_named_with_its_layer()
    {
        var b = new GraphBuilder().Input("x", "N,2").Constant("W", [1f, float.NaN, 2f, 3f], 2, 2).Named("layer", "MatMul", "x,W", "y").Output("y");
        Assert.Equal(
            "The weight 'W' of layer 'layer' holds NaN or infinite values: repair the model, or exclude the layer.", Refusal(b, new(), width: 2));
        Assert.Equal(
            "The weight 'W' of layer 'layer' holds NaN or infinite values: repair the model, or exclude the layer.",
            Assert.Throws<QuantizationException>(() => ModelQuantizer.Estimate(b.Build(), CalibrationRows.Of(("x", b.Rows(8, 2))), new())).Message);
    }

    [Fact]
    public void What_an_algorithm_cannot_do_as_asked_is_said_of_the_layer()
    {
        var options = new QuantizationOptions { Bits = 1, Algorithm = new Algorithms.Gpfq(new() { Sparsity = Algorithms.Sparsity.Hard, Threshold = 0.1 }) };
        const string Sentence = "The layer 'layer' cannot be quantized by gpfq: A grid of one bit has no zero and therefore no threshold; use 2 bits or more.";
        var b = SmallNets.OneLayer();
        Assert.Equal(Sentence, Refusal(b, options));
        Assert.Equal(
            Sentence, Assert.Throws<QuantizationException>(() => ModelQuantizer.Estimate(b.Build(), CalibrationRows.Of(("x", b.Rows(8, 4))), options)).Message);
    }

    [Fact]
    public void A_layer_input_that_is_not_finite_is_blamed_on_its_layer()
    {
        var b = new GraphBuilder().Input("x", "N,4").Weight("W", 4, 4).Constant("zero", [0f])
            .Node("Div", "x,zero", "h").Named("layer", "MatMul", "h,W", "y").Output("y");
        Assert.Equal(
            "The input of layer 'layer' is NaN or infinite on the calibration rows: check the rows, or exclude the layer.", Refusal(b, new()));
    }

    [Theory]
    [InlineData("before")]
    [InlineData("after")]
    public void An_operator_that_the_runtime_does_not_know_is_refused_with_its_words(string place)
    {
        var b = new GraphBuilder().Input("x", "N,4").Weight("W", 4, 4);
        b = place == "before"
            ? b.Node("NoSuchOperator", "x", "h").Node("MatMul", "h,W", "y")
            : b.Node("MatMul", "x,W", "h").Node("NoSuchOperator", "h", "y");
        var message = Refusal(b.Output("y"), new());
        Assert.StartsWith("ONNX Runtime cannot run the model 'test': ", message, StringComparison.Ordinal);
        Assert.Contains("NoSuchOperator", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("before")]
    [InlineData("after")]
    public void A_model_that_fails_while_it_runs_is_refused_with_the_words_of_the_runtime(string place)
    {
        // 4·9 values do not make rows of 5.
        var b = new GraphBuilder().Input("x", "N,4").Weight("W", 4, 4).Weight("V", 5, 5).Constant("shape", [-1L, 5L], 2);
        b = place == "before"
            ? b.Node("Reshape", "x,shape", "h").Node("MatMul", "h,V", "y")
            : b.Node("MatMul", "x,W", "h").Node("Reshape", "h,shape", "y");
        Assert.StartsWith("ONNX Runtime cannot run the model 'test': ", Refusal(b.Output("y"), new()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_layer_whose_weight_does_not_fit_its_input_is_refused()
    {
        var b = new GraphBuilder().Input("x", "N,4").Weight("W", 7, 4).Node("MatMul", "x,W", "y").Output("y");
        Assert.StartsWith("ONNX Runtime cannot run the model 'test': ", Refusal(b, new()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_of_a_type_that_cannot_be_followed_is_named()
    {
        // Each layer cuts the graph, so the tensor of texts is alive at a cut.
        var b = new GraphBuilder().Input("x", "N,4").Weight("W", 4, 4).Weight("V", 4, 4)
            .Node("Cast", "x", "text", ("to", (long)DataType.String))
            .Node("Relu", "x", "r").Node("MatMul", "r,W", "h")
            .Node("Cast", "text", "full", ("to", (long)DataType.Float))
            .Node("Add", "h,full", "i").Node("MatMul", "i,V", "y").Output("y");
        var message = Refusal(b, new());
        Assert.StartsWith("The value '", message, StringComparison.Ordinal);
        Assert.Contains("'text'", message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_output_that_is_no_real_number_does_no_harm()
    {
        var b = new GraphBuilder().Input("x", "N,4").Weight("W", 4, 4)
            .Node("MatMul", "x,W", "y").Node("Cast", "y", "text", ("to", (long)DataType.String)).Node("ArgMax", "y", "label")
            .Node("Cast", "y", "half", ("to", (long)DataType.Float16))
            .Output("y").Output("text", DataType.String).Output("label", DataType.Int64).Output("half", DataType.Float16);
        var model = b.Build();
        var data = CalibrationRows.Of(("x", b.Rows(9, 4)));
        var result = ModelQuantizer.Quantize(model, data, new());
        Assert.Equal(["y", "half"], result.Report.Outputs.Select(o => o.Name));
        Assert.Equal(["y", "half"], ModelComparer.Compare(model, result.Model, data).Outputs.Select(o => o.Name));
    }

    [Theory]
    [InlineData(1e16f, 1e25f)]
    [InlineData(1e18f, 1f)]
    public void Values_beyond_single_precision_are_blamed_on_their_layer(float value, float weight)
    {
        var b = new GraphBuilder().Input("x", "N,4").Weight("W", 4, 4).Constant("huge", [value]).Constant("V", [.. Enumerable.Repeat(weight, 16)], 4, 4)
            .Node("MatMul", "x,W", "h").Node("Mul", "h,huge", "i").Named("layer", "MatMul", "i,V", "j").Node("Tanh", "j", "y").Output("y");
        Assert.Contains("layer 'layer'", Refusal(b, new()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_quantized_model_whose_outputs_overflow_is_not_handed_out()
    {
        // Rounded to two bits the two weights sum to 2 instead of 1.6: exp(80) is a number, exp(100) is none.
        var b = new GraphBuilder().Input("x", "N,2").Constant("W", [1f, 0.6f], 2, 1).Constant("fifty", [50f])
            .Node("MatMul", "x,W", "h").Node("Mul", "h,fifty", "i").Node("Exp", "i", "y").Output("y");
        var options = new QuantizationOptions { Bits = 2, Algorithm = new Algorithms.Msq(), ScaleRule = Grids.ScaleRule.AbsMax, BiasCorrection = false };
        var e = Assert.Throws<QuantizationException>(() =>
            ModelQuantizer.Quantize(b.Build(), CalibrationRows.Of(("x", OnnxTensor.Create([1f, 1f], 1, 2))), options));
        Assert.Equal(
            "The quantized model 'test' gives NaN or infinite outputs on calibration rows: use more bits, or exclude layers.", e.Message);
    }

    [Fact]
    public void A_model_that_is_quantized_already_is_refused_with_the_reason()
    {
        var b = SmallNets.OneLayer();
        var once = ModelQuantizer.Quantize(b.Build(), CalibrationRows.Of(("x", b.Rows(9, 4))), new()).Model;
        var e = Assert.Throws<QuantizationException>(() => ModelQuantizer.Quantize(once, CalibrationRows.Of(("x", b.Rows(9, 4))), new()));
        Assert.Contains("its weight 'W' is computed from constants that are integers", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_constants_of_one_name_are_refused_by_it()
    {
        var b = new GraphBuilder().Input("x", "N,4").Weight("W", 4, 4).Weight("W", 4, 4).Node("MatMul", "x,W", "y").Output("y");
        Assert.Equal("The model holds two constants called 'W': remove one of them.", Refusal(b, new()));
    }

    [Fact]
    public void A_weight_in_another_file_that_is_not_there_is_refused()
    {
        var b = new GraphBuilder().Input("x", "N,4").Node("MatMul", "x,W", "y").Output("y");
        var tensor = new TensorProto { Name = "W", DataType = (int)DataType.Float, Dims = { 4, 4 }, DataLocation = DataLocation.External };
        tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = "no-such-file.bin" });
        b.Graph.Initializer.Add(tensor);
        Assert.Contains("no-such-file.bin", Refusal(b, new()), StringComparison.Ordinal);
    }

    [Fact]
    public void An_operator_set_listed_under_both_its_names_can_be_inspected()
    {
        var model = SmallNets.OneLayer().Proto();
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "ai.onnx", Version = 13 });
        Assert.Equal(13, ModelInspector.Inspect(OnnxModel.Parse(model.ToByteArray())).Opsets["ai.onnx"]);
    }

    [Fact]
    public void A_layer_that_no_calibration_row_reaches_is_named()
    {
        var b = new GraphBuilder().Input("x", "N,4").Weight("W", 4, 4).Constant("none", [0f])
            .Constant("far", [1000f])
            .Node("ReduceMax", "x", "m", ("axes", new long[] { 1 }), ("keepdims", 0L)).Node("Greater", "m,far", "c")
            .Node("Compress", "x,c", "kept", ("axis", 0L))
            .Named("layer", "MatMul", "kept,W", "y").Output("y");
        Assert.Equal(
            "The input of layer 'layer' has no rows on the calibration rows: give rows that reach it, or exclude the layer.", Refusal(b, new()));
    }

    [Fact]
    public void Cancelled_before_it_starts_nothing_runs()
    {
        var options = new QuantizationOptions { CancellationToken = new(canceled: true) };
        Assert.ThrowsAny<OperationCanceledException>(() =>
            ModelQuantizer.Quantize(SmallNets.OneLayer().Build(), CalibrationRows.Of(("x", new GraphBuilder().Rows(9, 4))), options));
    }

    [Theory]
    [InlineData("calibrate")]
    [InlineData("quantize")]
    [InlineData("write")]
    [InlineData("verify")]
    public void Cancelled_from_a_progress_callback_the_run_ends(string stage)
    {
        using var source = new CancellationTokenSource();
        var later = new List<string>();
        var options = new QuantizationOptions
        {
            CancellationToken = source.Token,
            Progress = new Callback(p =>
            {
                if (source.IsCancellationRequested)
                    later.Add(p.Stage);
                if (p.Stage == stage && (p.Layer is null || p.Completed == 1))
                    source.Cancel();
            }),
        };
        Assert.ThrowsAny<OperationCanceledException>(() => ModelQuantizer.Quantize(
            SmallNets.FourLayers().Build(), CalibrationRows.Of(("x", new GraphBuilder().Rows(9, 3, 8, 8))), options));
        Assert.InRange(later.Count, 0, 2);
    }

    [Fact]
    public void Progress_goes_from_layer_to_layer_and_ends_at_one()
    {
        var seen = new List<QuantizationProgress>();
        ModelQuantizer.Quantize(
            SmallNets.FourLayers().Build(),
            CalibrationRows.Of(("x", new GraphBuilder().Rows(9, 3, 8, 8))),
            new QuantizationOptions { Progress = new Callback(seen.Add) });
        Assert.Equal(["calibrate", "quantize", "write", "verify"], seen.Select(p => p.Stage).Distinct());
        Assert.Equal(["conv", "grouped", "gemm", "head"], seen.Select(p => p.Layer).OfType<string>().Distinct());
        Assert.Equal(seen.Select(p => p.Fraction).Order(), seen.Select(p => p.Fraction));
        Assert.Equal((0.0, 1.0), (seen[0].Fraction, seen[^1].Fraction));
        Assert.All(seen, p => Assert.Equal(4, p.Total));
    }

    [Fact]
    public void An_unwritable_path_leaves_nothing_behind()
    {
        using var folder = new TemporaryFolder();
        var b = SmallNets.OneLayer();
        var model = ModelQuantizer.Quantize(b.Build(), CalibrationRows.Of(("x", b.Rows(9, 4))), new()).Model;
        var e = Assert.Throws<QuantizationException>(() => model.Save(folder.File("no/such/folder/model.onnx")));
        Assert.Contains("cannot be written", e.Message, StringComparison.Ordinal);
        Assert.Empty(folder.Files());
    }

    private static string Refusal(GraphBuilder b, QuantizationOptions options, int width = 4) =>
        Assert.Throws<QuantizationException>(() =>
            ModelQuantizer.Quantize(b.Build(), CalibrationRows.Of(("x", b.Rows(9, width))), options)).Message;

    private sealed class Callback(Action<QuantizationProgress> report) : IProgress<QuantizationProgress>
    {
        public void Report(QuantizationProgress value) => report(value);
    }
}
