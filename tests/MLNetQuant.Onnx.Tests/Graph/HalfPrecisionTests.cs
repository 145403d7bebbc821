using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using MLNetQuant.Algorithms;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;
using MLNetQuant.Onnx.Tests.Models;
using MLNetQuant.Onnx.Tests.Variants;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.Tests.Graph;

/// <summary>Numbers of 16 bits: their values, the statistics of models that compute with them, and what ML.NET opens.</summary>
public class HalfPrecisionTests
{
    [Theory]
    [InlineData(TensorElementType.Float16)]
    [InlineData(TensorElementType.BFloat16)]
    public void Numbers_are_rounded_and_read_as_the_runtime_casts_them(TensorElementType type)
    {
        float[] values = [0, -0f, 1, -1.5f, 1.0004883f, 1.001465f, 1.00390625f, 1.01171875f, 65504, 1e-7f, 3e-8f, 6e-5f, 3.14159265f, -1e-3f, float.NegativeInfinity];
        var model = new GraphBuilder().Input("x", "N").Node("Cast", "x", "half", ("to", (long)type)).Node("Cast", "half", "y", ("to", (long)DataType.Float)).Output("y").Proto();
        var expected = Runtime.Run(model, new Dictionary<string, OnnxTensor> { ["x"] = OnnxTensor.Create(values, values.Length) }, level: 0)["y"];
        var rounded = HalfPrecision.Create("c", values, [values.Length], (int)type);
        Assert.Equal(2 * values.Length, rounded.RawData.Length);
        Assert.Equal(expected.Values<float>().ToArray(), TensorValues.ReadFloats(rounded));
        Assert.Equal(expected.Values<float>().ToArray(), OnnxTensor.Create(values, values.Length).Rounded(type).ToFloats().Values<float>().ToArray());

        // The other form that a file may keep them in.
        var listed = new TensorProto { Name = "c", DataType = (int)type, Dims = { values.Length } };
        for (var i = 0; i < values.Length; i++)
            listed.Int32Data.Add(BitConverter.ToUInt16(rounded.RawData.Span[(2 * i)..]));
        Assert.Equal(TensorValues.ReadFloats(rounded), TensorValues.ReadFloats(listed));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0L)]
    public void A_float16_model_gets_the_codes_of_its_float_twin(long? budget)
    {
        // Products with one weight for each output are rounded to 16 bits once, and so are the inputs of the second layer.
        var weight = new GraphBuilder(seed: 7).Floats(30 * 20).Select(v => (float)(Half)v).ToArray();
        var half = new GraphBuilder().Input("x", "N,30", DataType.Float16).Node("Neg", "x", "h").Node("MatMul", "h,W", "y").Output("y", DataType.Float16);
        half.Graph.Initializer.Add(GraphBuilder.HalfTensor("W", DataType.Float16, weight, 30, 20));
        var plain = new GraphBuilder().Input("x", "N,30").Constant("W", weight, 30, 20).Node("Neg", "x", "h").Node("MatMul", "h,W", "y").Output("y");
        var rows = plain.Rows(60, 30).Rounded(TensorElementType.Float16);
        var options = new QuantizationOptions { Bits = 4, Algorithm = new Qronos(), BiasCorrection = false, MemoryBudget = budget, Format = WeightFormat.Folded };
        var first = ModelQuantizer.Quantize(half.Build(), CalibrationRows.Of(("x", rows)), options);
        var second = ModelQuantizer.Quantize(plain.Build(), CalibrationRows.Of(("x", rows.ToFloats())), options);
        var form = WeightForm.Matrix(30, 20);
        Assert.Equal(DecodedWeight.Steps(second.Model.Proto, form, 4, 30), DecodedWeight.Steps(first.Model.Proto, form, 4, 30));
        Assert.Equal(second.Report.Layers[0].RelativeError, first.Report.Layers[0].RelativeError, 1e-6);
        Assert.Equal(second.Report.Outputs[0].RelativeError, first.Report.Outputs[0].RelativeError, 1e-3);
        Assert.Contains("'x', 'y' are float16 or bfloat16; convert the model with float32 inputs and outputs for ML.NET", Assert.Single(first.Report.Warnings), StringComparison.Ordinal);
        Assert.Empty(second.Report.Warnings);
    }

    [Fact]
    public void Constants_that_stay_float16_are_in_nodes_where_ML_NET_opens_them()
    {
        var test = OperatorVariants.All["Two layers, float16 between inputs and outputs of float"];
        var model = test.Model();
        var result = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", test.Rows())), QuantizationOptions.Default with { Exclude = ["^m$"] });
        Assert.Equal("g", Assert.Single(result.Report.Layers).Name);
        Assert.DoesNotContain(result.Model.Proto.Graph.Initializer, i => HalfPrecision.Is(i.DataType));
        Assert.Equal(["W", "b"], result.Model.Proto.Graph.Node.Where(n => n.OpType == "Constant").Select(n => n.Output[0]));
        Assert.Empty(result.Report.Warnings);
        Assert.InRange(result.Report.Outputs[0].RelativeError, 1e-5, 0.02);

        // What was written is quantized again like any other model.
        var again = ModelQuantizer.Quantize(result.Model, CalibrationRows.Of(("x", test.Rows())), QuantizationOptions.Default with { Include = ["^m$"] });
        Assert.Equal("m", Assert.Single(again.Report.Layers).Name);
    }

    [Fact]
    public void A_float16_constant_that_a_caller_may_replace_stays_an_initializer_and_is_named()
    {
        var b = new GraphBuilder().Input("x", "N,30").Half("W", DataType.Float16, 30, 20).Half("b", DataType.Float16, 20);
        var model = b.Node("Cast", "x", "h", ("to", (long)DataType.Float16)).Node("MatMul", "h,W", "m").Node("Add", "m,b", "s")
            .Node("Cast", "s", "y", ("to", (long)DataType.Float)).Output("y").Build();
        model.Proto.Graph.Input.Add(new ValueInfoProto { Name = "b" });
        var report = ModelQuantizer.Quantize(OnnxModel.Parse(model.ToBytes()), CalibrationRows.Of(("x", b.Rows(40, 30))), QuantizationOptions.Default).Report;
        Assert.Contains("the constants 'b' are float16 or bfloat16, and are inputs too or come from a data file", Assert.Single(report.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_of_float32_are_rounded_for_an_input_of_float16_and_others_are_refused()
    {
        var model = OperatorVariants.All["MatMul, float16"].Model();
        var rows = new GraphBuilder(seed: 3).Rows(40, 30);
        var options = QuantizationOptions.Default with { Algorithm = new Msq() };
        var (first, second) = (Codes(rows), Codes(rows.Rounded(TensorElementType.Float16)));
        Assert.Equal(first, second);
        var e = Assert.Throws<QuantizationException>(() => Codes(OnnxTensor.Create(new double[1200], 40, 30)));
        Assert.Equal("The calibration entry 'x' holds Double values, and the model takes Float16: convert it.", e.Message);
        var halves = new Float16[1200];
        halves[31] = (Float16)float.NaN;
        e = Assert.Throws<QuantizationException>(() => Codes(OnnxTensor.Create(halves, 40, 30)));
        Assert.Contains("is NaN or infinite in row 1, value 1", e.Message, StringComparison.Ordinal);

        byte[] Codes(OnnxTensor x) => ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options).Model.ToBytes();
    }

    [Fact]
    public void Products_of_bfloat16_are_refused_in_the_words_of_the_runtime_where_it_has_none()
    {
        var b = new GraphBuilder().Input("x", "N,30").Half("W", DataType.Bfloat16, 30, 20)
            .Node("Cast", "x", "h", ("to", (long)DataType.Bfloat16)).Node("MatMul", "h,W", "m").Node("Cast", "m", "y", ("to", (long)DataType.Float)).Output("y");
        var e = Assert.Throws<QuantizationException>(() => ModelQuantizer.Quantize(b.Build(), CalibrationRows.Of(("x", b.Rows(40, 30))), QuantizationOptions.Default));
        Assert.StartsWith("ONNX Runtime cannot run the model 'test':", e.Message, StringComparison.Ordinal);
    }
}
