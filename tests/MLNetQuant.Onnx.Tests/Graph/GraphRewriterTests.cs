using Google.Protobuf;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Graph;

public class GraphRewriterTests
{
    [Theory]
    [InlineData(WeightFormat.Folded)]
    [InlineData(WeightFormat.Float)]
    public void An_IR_3_model_is_written_as_IR_4_without_its_constants_as_inputs_and_runs(WeightFormat format)
    {
        var b = new GraphBuilder(opset: 8, ir: 3)
            .Input("x", "2,4").Input("W", "4,4").Input("V", "4,3").Input("b", "3").Input("dead", "5")
            .Weight("W", 4, 4).Weight("V", 4, 3).Weight("b", 3).Weight("dead", 5)
            .Node("MatMul", "x,W", "h").Node("Gemm", "h,V,b", "y").Output("y");
        var model = b.Build();
        var x = b.Rows(10, 4);
        var quantized = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), new QuantizationOptions { Format = format }).Model;
        Assert.Equal(4, quantized.Proto.IrVersion);
        Assert.Equal(["x"], quantized.Proto.Graph.Input.Select(i => i.Name));
        Assert.DoesNotContain("dead", quantized.Proto.Graph.Initializer.Select(i => i.Name));
        var two = b.Rows(2, 4);
        Assert.All(
            Runtime.Run(model, "y", ("x", two)).Zip(Runtime.Run(quantized, "y", ("x", two))), p => Assert.Equal(p.First, p.Second, 0.1));
    }

    [Fact]
    public void An_initializer_that_a_caller_may_override_stays_one_even_when_nothing_reads_it()
    {
        var b = new GraphBuilder(ir: 8)
            .Input("x", "N,4").Input("shift", "4").Input("dead", "5").Weight("shift", 4).Weight("dead", 5).Weight("W", 4, 4)
            .Node("MatMul", "x,W", "h").Node("Add", "h,shift", "y").Output("y");
        var model = b.Build();
        var quantized = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", b.Rows(10, 4))), QuantizationOptions.Default).Model;
        Assert.Equal(["x", "shift", "dead"], quantized.Proto.Graph.Input.Select(i => i.Name));
        Assert.Equal(["x"], quantized.Inputs.Select(i => i.Name));
        var x = b.Rows(3, 4);
        Assert.All(
            Runtime.Run(model, "y", ("x", x)).Zip(Runtime.Run(quantized, "y", ("x", x))), p => Assert.Equal(p.First, p.Second, 0.1));
    }

    [Fact]
    public void A_bias_that_a_caller_may_override_is_not_corrected()
    {
        var b = new GraphBuilder(ir: 8)
            .Input("x", "N,4").Input("b", "4").Weight("b", 4).Weight("W", 4, 4).Node("Gemm", "x,W,b", "y").Output("y");
        var model = b.Build();
        var result = ModelQuantizer.Quantize(
            model, CalibrationRows.Of(("x", b.Rows(10, 4))), new QuantizationOptions { Bits = 3, BiasCorrection = true });
        Assert.False(Assert.Single(result.Report.Layers).BiasCorrected);
        Assert.Equal(["x"], result.Model.Inputs.Select(i => i.Name));
    }

    [Fact]
    public void A_model_that_calls_the_default_operators_ai_onnx_is_written_and_runs()
    {
        var b = SmallNets.OneLayer();
        var proto = b.Proto();
        proto.OpsetImport[0].Domain = "ai.onnx";
        var model = OnnxModel.Parse(proto.ToByteArray());
        var x = b.Rows(10, 4);
        var quantized = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), QuantizationOptions.Default).Model;
        Assert.All(
            Runtime.Run(model, "y", ("x", x)).Zip(Runtime.Run(quantized, "y", ("x", x))), p => Assert.Equal(p.First, p.Second, 0.1));
    }

    [Fact]
    public void The_float_model_is_left_as_it_was()
    {
        var b = new GraphBuilder().Input("x", "N,4").Weight("W", 4, 4).Node("MatMul", "x,W", "y").Output("y");
        var model = b.Build();
        var before = model.ToBytes();
        ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", b.Rows(10, 4))), new QuantizationOptions { Bits = 2, BiasCorrection = true });
        Assert.Equal(before, model.ToBytes());
    }

    [Fact]
    public void A_constant_that_only_a_branch_reads_is_kept()
    {
        var then = new GraphBuilder().Node("Add", "h,c1", "t").Output("t").Graph;
        var otherwise = new GraphBuilder().Node("Sub", "h,c1", "e").Output("e").Graph;
        var b = new GraphBuilder()
            .Input("x", "N,4").Weight("W", 4, 4).Weight("c1", 4).Constant("zero", [0f])
            .Node("MatMul", "x,W", "h").Node("ReduceSum", "h", "s", ("keepdims", 0L)).Node("Greater", "s,zero", "p")
            .Node("If", "p", "y", ("then_branch", then), ("else_branch", otherwise)).Output("y");
        var quantized = ModelQuantizer.Quantize(b.Build(), CalibrationRows.Of(("x", b.Rows(10, 4))), QuantizationOptions.Default).Model;
        Assert.Contains("c1", quantized.Proto.Graph.Initializer.Select(i => i.Name));
    }
}
