using Microsoft.ML.OnnxRuntime;
using MLNetQuant.Grids;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Formats;

/// <summary>
/// Formats that multiply codes as they are: their outputs lie as near the float format's as eight-bit activations allow. A
/// step of the activations is s, so that each errs by s/2 (by s at the ends of a range whose zero was rounded), and an
/// output by s·Σ|w| at most and by s·‖w‖ in the mean square.
/// </summary>
public class ProductFormatTests
{
    private const int Width = 70;
    private const int Outputs = 9;

    private static readonly Dictionary<string, (Func<GraphBuilder> Build, string Input)> Layers = new()
    {
        ["MatMul"] = (() => new GraphBuilder().Weight("W", Width, Outputs).Node("MatMul", "x,W", "y"), "N,70"),
        ["MatMul, three axes"] = (() => new GraphBuilder().Weight("W", Width, Outputs).Node("MatMul", "x,W", "y"), "N,3,70"),
        ["FusedMatMul, transposed"] = (() => new GraphBuilder().Weight("W", Outputs, Width).Node("com.microsoft::FusedMatMul", "x,W", "y", ("transB", 1L)), "N,70"),
        ["Gemm"] = (() => new GraphBuilder().Weight("W", Width, Outputs).Weight("b", Outputs).Node("Gemm", "x,W,b", "y"), "N,70"),
        ["Gemm, no bias"] = (() => new GraphBuilder().Weight("W", Width, Outputs).Node("Gemm", "x,W", "y"), "N,70"),
        ["Gemm, transB"] = (() => new GraphBuilder().Weight("W", Outputs, Width).Weight("b", 1, Outputs).Node("Gemm", "x,W,b", "y", ("transB", 1L)), "N,70"),
        ["Gemm, beta"] = (() => new GraphBuilder().Weight("W", Outputs, Width).Weight("b", Outputs).Node("Gemm", "x,W,b", "y", ("transB", 1L), ("beta", -3f)), "N,70"),
        ["Gemm, beta zero"] = (() => new GraphBuilder().Weight("W", Width, Outputs).Weight("b", Outputs).Node("Gemm", "x,W,b", "y", ("beta", 0f)), "N,70"),
        ["Gemm, a bias of one number"] = (() => new GraphBuilder().Weight("W", Width, Outputs).Weight("b", 1).Node("Gemm", "x,W,b", "y"), "N,70"),
        ["Gemm, a bias computed on the way, beta"] = (() => new GraphBuilder().Weight("W", Width, Outputs)
            .Node("ReduceMean", "x", "b", ("keepdims", 1L), ("axes", new long[] { 1 })).Node("Gemm", "x,W,b", "y", ("beta", 2f)), "N,70"),
        ["Gemm, a bias read twice"] = (() => new GraphBuilder().Weight("W", Width, Outputs).Weight("b", Outputs)
            .Node("Gemm", "x,W,b", "z").Node("Add", "z,b", "y"), "N,70"),
    };

    public static TheoryData<string, WeightFormat, int, string, bool> Cases
    {
        get
        {
            var cases = new TheoryData<string, WeightFormat, int, string, bool>();
            foreach (var layer in Layers.Keys)
            {
                cases.Add(layer, WeightFormat.Dynamic, 8, "channel", false);
                cases.Add(layer, WeightFormat.Dynamic, 4, "tensor", true);
                cases.Add(layer, WeightFormat.Packed, 8, "channel", true);
                cases.Add(layer, WeightFormat.Packed, 4, "block:32", false);
            }

            foreach (var bits in new[] { 1, 2, 3, 4, 5, 7 })
            {
                cases.Add("MatMul", WeightFormat.Dynamic, bits, "channel", false);
                cases.Add("Gemm, transB", WeightFormat.Packed, bits, "channel", false);
                cases.Add("MatMul", WeightFormat.Packed, bits, "tensor", true);
                foreach (var block in new[] { "block:16", "block:64", "block:128", "block:1000" })
                    cases.Add("MatMul", WeightFormat.Packed, bits, block, false);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Outputs_lie_as_near_the_float_formats_as_eight_bit_activations_allow(
        string layer, WeightFormat format, int bits, string granularity, bool biasCorrection)
    {
        foreach (var zeroPoint in bits == 1 ? [ZeroPointRule.None] : new[] { ZeroPointRule.None, ZeroPointRule.Range })
        {
            var (model, x) = Create(layer);
            var options = new QuantizationOptions
            {
                Bits = bits,
                Granularity = Granularity.Parse(granularity),
                BiasCorrection = biasCorrection,
                ZeroPoint = zeroPoint,
                Algorithm = new Algorithms.Gpfq(),
            };
            var plain = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options with { Format = WeightFormat.Float });
            var result = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options with { Format = format });
            Assert.Contains(format == WeightFormat.Dynamic ? "DynamicQuantizeMatMul" : "MatMulNBits", result.Model.Proto.Graph.Node.Select(n => n.OpType));
            Assert.DoesNotContain(result.Model.Proto.Graph.Initializer, i => i.Name == "W");
            Assert.Equal(plain.Report.Layers[0].BiasCorrected, result.Report.Layers[0].BiasCorrected);
            Assert.Equal(format == WeightFormat.Dynamic ? "dynamic" : "packed", result.Report.Layers[0].Format);
            Assert.Contains(format == WeightFormat.Dynamic ? "whole batch" : "block of a row", result.Report.Layers[0].Activations, StringComparison.Ordinal);
            var w = TensorValues.ReadFloats(plain.Model.Proto.Graph.Initializer.Single(i => i.Name == "W"));
            var transposed = model.Proto.Graph.Initializer.Single(i => i.Name == "W").Dims[0] == Outputs;
            double Column(int j, Func<double, double> f) => Enumerable.Range(0, Width).Sum(t => f(w[transposed ? (j * Width) + t : (t * Outputs) + j]));
            var values = x.Values<float>().ToArray();
            var step = format == WeightFormat.Dynamic ? (values.Max() - values.Min()) / 255 : values.Max(Math.Abs) / 127;
            var expected = Runtime.Run(plain.Model, "y", ("x", x));
            var actual = Runtime.Run(result.Model, "y", ("x", x));
            Assert.Equal(expected.Length, actual.Length);
            var squares = 0.0;
            for (var i = 0; i < expected.Length; i++)
            {
                var error = expected[i] - actual[i];
                Assert.InRange(Math.Abs(error), 0, (step * Column(i % Outputs, Math.Abs)) + 1e-5);
                squares += error * error;
            }

            var bound = step * step * Enumerable.Range(0, Outputs).Average(j => Column(j, v => v * v));
            // Two bits in blocks of 16 have no kernel of integers: the runtime decodes them and multiplies in float.
            Assert.InRange(squares / expected.Length, bits <= 2 && granularity == "block:16" ? 0 : bound / 1000, bound);
            Assert.InRange(result.Report.Outputs[0].RelativeError, plain.Report.Outputs[0].RelativeError * 0.5, plain.Report.Outputs[0].RelativeError + 0.02);
        }
    }

    [Theory]
    [InlineData(WeightFormat.Dynamic, "DynamicQuantizeMatMul")]
    [InlineData(WeightFormat.Packed, "MatMulNBits")]
    public void After_loading_one_operator_is_left_and_the_domain_is_imported_once(WeightFormat format, string op)
    {
        foreach (var layer in new[] { "MatMul", "MatMul, three axes", "Gemm", "Gemm, transB", "Gemm, beta", "FusedMatMul, transposed" })
        {
            var (model, x) = Create(layer);
            var quantized = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), new() { Format = format }).Model.Proto;
            Assert.Equal([op], Runtime.OperatorsAfterLoading(quantized, GraphOptimizationLevel.ORT_ENABLE_ALL));
            Assert.Equal([op], Runtime.OperatorsAfterLoading(quantized, GraphOptimizationLevel.ORT_DISABLE_ALL));
            Assert.Equal(1, quantized.OpsetImport.Single(o => o.Domain == "com.microsoft").Version);
        }
    }

    [Theory]
    [InlineData(WeightFormat.Dynamic, "block:32", "format dynamic has one scale for each output or one for all, and the granularity is block:32; use channel or tensor, or format packed")]
    [InlineData(WeightFormat.Packed, "block:8", "format packed takes blocks of 16, 32, 64, 128 or 256, and the granularity is block:8; use one of these, or format folded")]
    [InlineData(WeightFormat.Packed, "block:48", "format packed takes blocks of 16, 32, 64, 128 or 256, and the granularity is block:48; use one of these, or format folded")]
    public void Granularities_that_the_kernels_lack_are_refused_before_calibration(WeightFormat format, string granularity, string reason)
    {
        var (model, x) = Create("MatMul");
        var options = new QuantizationOptions { Format = format, Granularity = Granularity.Parse(granularity) };
        var e = Assert.Throws<QuantizationException>(() => ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options));
        Assert.Equal($"1 layers cannot be written: 'y': {reason}.", e.Message);
    }

    [Theory]
    [InlineData(WeightFormat.Dynamic)]
    [InlineData(WeightFormat.Packed)]
    public void Layers_without_a_form_of_their_own_are_folded(WeightFormat format)
    {
        var builders = new Dictionary<string, GraphBuilder>
        {
            ["N,3,8"] = new GraphBuilder().Weight("W", 4, 3, 3).Node("Conv", "x,W", "y"),
            ["70,N"] = new GraphBuilder().Weight("W", Width, Outputs).Node("Gemm", "x,W", "y", ("transA", 1L)),
            ["N,70"] = new GraphBuilder().Weight("W", Width, Outputs).Node("Gemm", "x,W", "y", ("alpha", 2f)),
            ["N,30"] = new GraphBuilder().Weight("W", 30, 30).Node("MatMul", "x,W", "h").Node("Tanh", "h", "t").Node("MatMul", "t,W", "y"),
            ["N,20,5"] = new GraphBuilder().Weight("W", 7, 20).Node("MatMul", "W,x", "y"),
        };
        foreach (var (shape, b) in builders)
        {
            var model = b.Input("x", shape).Output("y").Build();
            var x = b.Rows([.. shape.Split(',').Select(e => e == "N" ? 32 : long.Parse(e))]);
            var result = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), new() { Format = format });
            Assert.Equal(("folded", null), (result.Report.Layers[0].Format, result.Report.Layers[0].Activations));
            Assert.DoesNotContain(result.Model.Proto.OpsetImport, o => o.Domain == "com.microsoft");
        }
    }

    [Fact]
    public void A_row_depends_on_the_rest_of_its_batch_when_dynamic_and_on_itself_alone_when_packed()
    {
        var (model, x) = Create("MatMul");
        foreach (var (format, alone) in new[] { (WeightFormat.Dynamic, false), (WeightFormat.Packed, true) })
        {
            var quantized = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), new() { Format = format }).Model;
            var row = x.Rows(0, 1);
            var other = OnnxTensor.Create([.. row.Values<float>(), .. Enumerable.Repeat(50f, Width)], 2, Width);
            var first = Runtime.Run(quantized, "y", ("x", row));
            var beside = Runtime.Run(quantized, "y", ("x", other))[..Outputs];
            Assert.Equal(alone, first.Zip(beside).All(p => Math.Abs(p.First - p.Second) < 1e-4));
        }
    }

    [Theory]
    [InlineData(2, 0.10)]
    [InlineData(4, 0.17)]
    [InlineData(8, 0.30)]
    public void Packed_files_are_as_small_as_their_bits(int bits, double ratio)
    {
        var b = new GraphBuilder().Input("x", "N,256").Weight("W", 256, 128).Node("MatMul", "x,W", "y").Output("y");
        var model = b.Build();
        var result = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", b.Rows(40, 256))), new() { Bits = bits, Format = WeightFormat.Packed });
        Assert.InRange((double)result.Report.QuantizedBytes / result.Report.FloatBytes, bits / 32.0, ratio);
    }

    private static (OnnxModel Model, OnnxTensor X) Create(string layer)
    {
        var (build, input) = Layers[layer];
        var b = build();
        var model = b.Input("x", input).Output("y").Build();
        return (model, b.Rows([23, .. input.Split(',').Skip(1).Select(long.Parse)]));
    }
}
