using System.Text.Json;
using MLNetQuant.Algorithms;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Tests.Formats;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Reports;

public class QuantizationReportTests
{
    [Theory]
    [InlineData("msq", 3, "none", false)]
    [InlineData("msq", 3, "none", true)]
    [InlineData("gpfq", 3, "none", false)]
    [InlineData("gpfq", 3, "none", true)]
    [InlineData("spfq", 4, "none", true)]
    [InlineData("gpfq", 8, "none", true)]
    [InlineData("gpfq", 3, "grouped", false)]
    [InlineData("best", 2, "grouped", true)]
    public void The_error_of_each_layer_is_what_a_direct_computation_gives(string algorithm, int bits, string exclude, bool bias)
    {
        var model = SmallNets.FourLayers().Build();
        var x = new GraphBuilder(seed: 8).Rows(50, 3, 8, 8);
        var options = new QuantizationOptions
        {
            Bits = bits,
            Algorithm = WeightQuantizers.Parse(algorithm),
            RowsPerLayer = int.MaxValue,
            Exclude = [exclude],
            BiasCorrection = bias,
        };
        var (quantized, report) = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options);
        var layers = LayerFinder.Find(new GraphIndex(model.Proto)).Layers.Where(l => l.Node.Name != exclude);
        Assert.Equal(layers.Count(), report.Layers.Count);
        foreach (var (layer, described) in layers.Zip(report.Layers))
        {
            var feeds = new Dictionary<string, OnnxTensor> { ["x"] = x };
            var input = layer.Node.Input;
            var expected = DirectError(
                layer,
                input == "x" ? x : Runtime.Run(model.Proto, feeds, [input])[input],
                input == "x" ? x : Runtime.Run(quantized.Proto, feeds, [input])[input],
                Decoded.Weight(model, layer.Node.Weight.Name),
                Decoded.Weight(quantized, layer.Node.Weight.Name));
            if (bias)
            {
                // What the nodes put out differs by XW − X̃Q less the change of the bias.
                var output = layer.Node.Proto.Output[0];
                var pairs = Runtime.Run(model.Proto, feeds, [output])[output].Values<float>().ToArray()
                    .Zip(Runtime.Run(quantized.Proto, feeds, [output])[output].Values<float>().ToArray());
                var corrected = Math.Sqrt(pairs.Sum(p => Square(p.First - p.Second)) / expected.Energy);
                if (layer.Node.Name == "head") // the others' biases are chosen by the error after a Relu
                    Assert.True(corrected <= expected.Error, $"{corrected} is above {expected.Error} without the bias");
                expected = (corrected, expected.Energy);
            }

            Assert.True(layer.Node.Name == "head" || bias == described.BiasCorrected);
            Assert.Equal(layer.Node.Name, described.Name);
            Assert.Equal(layer.CountRows(input == "x" ? x.Shape : Runtime.Run(model.Proto, feeds, [input])[input].Shape), described.CalibrationRows);
            // The statistics are single-precision products: relative errors are exact to about 3e-4.
            Assert.Equal(expected.Error, described.RelativeError, (2e-3 * expected.Error) + 3e-4);
        }
    }

    [Fact]
    public void Totals_are_the_sums_and_sizes_those_of_the_files()
    {
        var b = SmallNets.FourLayers();
        var model = b.Build();
        var result = ModelQuantizer.Quantize(
            model, CalibrationRows.Of(("x", b.Rows(20, 3, 8, 8))), new() { Exclude = ["head"], Rows = 15, RowsPerLayer = 100, Bits = 6, Algorithm = new Gpfq(), BiasCorrection = false });
        var report = result.Report;
        Assert.Equal([162L, 162L, 3840L], report.Layers.Select(l => l.Weights));
        Assert.Equal([(27, 6), (27, 6), (96, 40)], report.Layers.Select(l => (l.Inputs, l.Outputs)));
        Assert.Equal(["Conv", "Conv", "Gemm"], report.Layers.Select(l => l.Op));
        Assert.Equal([100L, 100L, 15L], report.Layers.Select(l => l.CalibrationRows));
        Assert.All(report.Layers, l => Assert.Equal((6, "channel", "gpfq", "folded", false), (l.Bits, l.Granularity, l.Algorithm, l.Format, l.BiasCorrected)));
        Assert.Equal(200, Assert.Single(report.Skipped).Weights);
        Assert.Equal(162 + 162 + 3840, report.QuantizedWeights);
        Assert.Equal(report.QuantizedWeights + 200, report.Weights);
        Assert.Equal(15, report.CalibrationRows);
        Assert.Equal(model.ToBytes().Length, report.FloatBytes);
        Assert.Equal(result.Model.ToBytes().Length, report.QuantizedBytes);
        Assert.InRange(report.PeakMemoryBytes, 1L << 20, 1L << 40);
        Assert.InRange(report.Layers.Sum(l => l.Seconds), 0, report.Seconds);
    }

    [Fact]
    public void A_weight_that_several_nodes_share_counts_once_in_the_totals()
    {
        var b = new GraphBuilder().Input("x", "N,4").Weight("S", 4, 4).Weight("W", 4, 3)
            .Node("MatMul", "x,S", "h").Node("MatMul", "h,S", "i").Node("MatMul", "i,W", "y").Output("y");
        var report = ModelQuantizer.Quantize(b.Build(), CalibrationRows.Of(("x", b.Rows(20, 4))), new()).Report;
        Assert.Equal(12 + 16, report.QuantizedWeights);
        Assert.Equal(12 + 16, report.Weights);
    }

    [Fact]
    public void Json_has_the_names_that_were_promised()
    {
        var b = SmallNets.FourLayers();
        var report = ModelQuantizer.Quantize(b.Build(), CalibrationRows.Of(("x", b.Rows(20, 3, 8, 8))), new() { Exclude = ["head"] }).Report;
        using var json = JsonDocument.Parse(report.ToJson());
        var root = json.RootElement;
        foreach (var name in new[] { "layers", "skipped", "floatBytes", "quantizedBytes", "weights", "quantizedWeights", "seconds", "peakMemoryBytes", "outputs" })
            Assert.True(root.TryGetProperty(name, out _), name);
        var layer = root.GetProperty("layers")[0];
        foreach (var name in new[] { "name", "op", "inputs", "outputs", "weights", "bits", "granularity", "algorithm", "format", "relativeError", "dampingRaises", "seconds" })
            Assert.True(layer.TryGetProperty(name, out _), name);
        Assert.Equal("conv", layer.GetProperty("name").GetString());
        Assert.Equal(report.Layers[0].RelativeError, layer.GetProperty("relativeError").GetDouble());
        Assert.Equal("the exclude pattern 'head' matches its name", root.GetProperty("skipped")[0].GetProperty("reason").GetString());
    }

    [Fact]
    public void The_error_of_the_outputs_is_that_of_the_written_file()
    {
        var b = SmallNets.FourLayers();
        var model = b.Build();
        var x = b.Rows(20, 3, 8, 8);
        var result = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), new() { Bits = 4 });
        var (e, a) = (Runtime.Run(model, "y", ("x", x)), Runtime.Run(result.Model, "y", ("x", x)));
        var output = Assert.Single(result.Report.Outputs);
        var error = Math.Sqrt(e.Zip(a).Sum(p => Square((double)p.First - p.Second)) / e.Sum(v => Square(v)));
        Assert.Equal(error, output.RelativeError, 1e-4 * error);
        Assert.Equal(e.Zip(a).Max(p => Math.Abs((double)p.First - p.Second)), output.MaxAbsoluteError, 1e-5);
        var agree = e.Chunk(5).Zip(a.Chunk(5)).Count(p => p.First.IndexOf(p.First.Max()) == p.Second.IndexOf(p.Second.Max()));
        Assert.Equal(agree / 20.0, output.ArgMaxAgreement);
    }

    [Theory]
    [InlineData("Log")] // −∞ in both models where Relu gave zero
    [InlineData("Sqrt")] // NaN in both models
    public void Outputs_that_the_float_model_itself_leaves_infinite_still_make_a_report(string op)
    {
        var b = new GraphBuilder().Input("x", "N,4").Weight("W", 4, 4).Node("MatMul", "x,W", "h");
        b = op == "Log" ? b.Node("Relu", "h", "r").Node(op, "r", "y") : b.Node("Abs", "h", "a").Node("Neg", "a", "n").Node(op, "n", "y");
        var report = ModelQuantizer.Quantize(b.Output("y").Output("h").Build(), CalibrationRows.Of(("x", b.Rows(20, 4))), new()).Report;
        Assert.All(report.Outputs, o => Assert.True(double.IsFinite(o.RelativeError) && double.IsFinite(o.MaxAbsoluteError)));
        Assert.Contains("relativeError", report.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_output_that_is_zero_in_the_float_model_only_is_wholly_wrong()
    {
        var zero = new GraphBuilder().Input("x", "N,2").Constant("W", new float[4], 2, 2).Node("MatMul", "x,W", "y").Output("y");
        var one = new GraphBuilder().Input("x", "N,2").Constant("W", [1f, 0, 0, 1], 2, 2).Node("MatMul", "x,W", "y").Output("y");
        var comparison = ModelComparer.Compare(zero.Build(), one.Build(), CalibrationRows.Of(("x", zero.Rows(5, 2))));
        Assert.Equal(1, Assert.Single(comparison.Outputs).RelativeError);
        Assert.Contains("relativeError", comparison.ToJson(), StringComparison.Ordinal);
        Assert.Equal(0, ModelComparer.Compare(zero.Build(), zero.Build(), CalibrationRows.Of(("x", zero.Rows(5, 2)))).Outputs[0].RelativeError);
    }

    private static double Square(double v) => v * v;

    /// <summary>‖XW − X̃Q‖_F / ‖XW‖_F with every product in fp64.</summary>
    private static (double Error, double Energy) DirectError(ILayer layer, OnnxTensor x, OnnxTensor quantizedX, float[] weights, float[] quantizedWeights)
    {
        var rows = layer.CountRows(x.Shape);
        int[] all = [.. Enumerable.Range(0, rows)];
        var n = layer.Layout.Inputs;
        var (a, b) = (new float[rows * n], new float[rows * n]);
        double error = 0, energy = 0;
        for (var g = 0; g < layer.Layout.Groups; g++)
        {
            layer.Unfold(x, all, g, a);
            layer.Unfold(quantizedX, all, g, b);
            var (w, q) = (layer.Layout.Gather<float>(weights, g), layer.Layout.Gather<float>(quantizedWeights, g));
            for (var row = 0; row < rows; row++)
            {
                for (var j = 0; j < layer.Layout.Outputs; j++)
                {
                    double xw = 0, xq = 0;
                    for (var t = 0; t < n; t++)
                    {
                        xw += (double)a[(row * n) + t] * w[t, j];
                        xq += (double)b[(row * n) + t] * q[t, j];
                    }

                    error += Square(xw - xq);
                    energy += Square(xw);
                }
            }
        }

        return (Math.Sqrt(error / energy), energy);
    }
}
