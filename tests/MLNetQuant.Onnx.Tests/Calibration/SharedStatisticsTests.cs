using MLNetQuant.Algorithms;
using MLNetQuant.Onnx.Calibration;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Calibration;

/// <summary>Layers that read one tensor, against the same layers that read copies of it.</summary>
public class SharedStatisticsTests
{
    private static readonly QuantizationOptions Options = new() { Bits = 3 };

    [Theory]
    [InlineData("best")]
    [InlineData("gpfq")]
    [InlineData("optq")]
    [InlineData("qronos")]
    [InlineData("spfq")]
    public void Their_codes_and_errors_are_those_of_layers_on_copies(string algorithm)
    {
        var options = Options with { Algorithm = WeightQuantizers.Parse(algorithm) };
        var shared = Quantize(Heads(copies: false), options);
        var apart = Quantize(Heads(copies: true), options);
        foreach (var name in new[] { "H", "Q", "K", "V", "O" })
        {
            Assert.NotEmpty(Codes(apart, name));
            Assert.Equal(Codes(apart, name), Codes(shared, name));
        }

        Assert.Equal(apart.Report.Layers.Select(l => l.RelativeError), shared.Report.Layers.Select(l => l.RelativeError));
        Assert.Equal(apart.Report.Layers.Select(l => l.HeldBackError), shared.Report.Layers.Select(l => l.HeldBackError));
    }

    /// <summary>Rows are drawn by the layer's number, so that equal weights get equal codes only on shared rows.</summary>
    [Fact]
    public void A_run_chooses_their_rows_once()
    {
        var options = Options with { Algorithm = new Gpfq(), RowsPerLayer = 40 };
        var (shared, apart) = (Quantize(Heads(copies: false, equal: true), options), Quantize(Heads(copies: true, equal: true), options));

        // Equal tensors are stored once, under the first name.
        Assert.All(new[] { "K", "V" }, name => Assert.Empty(Codes(shared, name)));
        Assert.All(new[] { "Q", "K", "V" }, name => Assert.NotEmpty(Codes(apart, name)));
    }

    [Fact]
    public void The_rows_of_the_first_layer_serve_the_others_and_no_more()
    {
        var (layers, walk, _) = Walk(Heads(copies: false));
        using (walk)
        {
            var shared = new SharedStatistics(layers);
            LayerRows? last = null;
            foreach (var (number, layer) in layers.Index())
            {
                var inputs = walk.Advance(layer);
                var taken = shared.Take(layer, inputs);
                Assert.Equal(layer.Node.Weight.Name is "K" or "V", taken is not null);
                Assert.True(taken is null || ReferenceEquals(taken, last));
                last = taken ?? new(layer, inputs, new(0, number, [1], 1), []);
                shared.Offer(number, last);
            }
        }
    }

    [Fact]
    public void Copies_are_not_taken_for_one_tensor()
    {
        var (layers, walk, _) = Walk(Heads(copies: true));
        using (walk)
        {
            var shared = new SharedStatistics(layers);
            foreach (var (number, layer) in layers.Index())
            {
                var inputs = walk.Advance(layer);
                Assert.Null(shared.Take(layer, inputs));
                shared.Offer(number, new(layer, inputs, new(0, number, [1], 1), []));
            }
        }
    }

    private static (IReadOnlyList<ILayer> Layers, CalibrationWalk Walk, GraphIndex Index) Walk(OnnxModel model)
    {
        var index = new GraphIndex(model.Proto);
        var layers = LayerFinder.Find(index).Layers;
        var batches = CalibrationBatches.Cut(model, Data, 16, rows: null).Batches;
        return (layers, new(model.Proto, index, layers, batches, 1, long.MaxValue, default), index);
    }

    private static CalibrationData Data { get; } = CalibrationRows.Of(("x", new GraphBuilder(seed: 5).Rows(150, 12)));

    /// <summary>A layer, three that read what it puts out, or copies of that, and one more.</summary>
    private static OnnxModel Heads(bool copies, bool equal = false)
    {
        var values = new GraphBuilder(seed: 9).Floats(24 * 8);
        var b = new GraphBuilder()
            .Input("x", "N,12").Weight("H", 12, 24).Weight("O", 8, 5).Constant("one", [1f])
            .Node("MatMul", "x,H", "h").Node("Tanh", "h", "t");
        foreach (var name in new[] { "q", "k", "v" })
        {
            b = equal ? b.Constant(name.ToUpperInvariant(), [.. values], 24, 8) : b.Weight(name.ToUpperInvariant(), 24, 8);
            b = copies ? b.Node("Mul", "t,one", "t" + name) : b;
        }

        string Read(string name) => copies ? "t" + name : "t";
        return b
            .Node("MatMul", $"{Read("q")},Q", "q").Node("MatMul", $"{Read("k")},K", "k").Node("MatMul", $"{Read("v")},V", "v")
            .Node("Mul", "q,k", "qk").Node("Add", "qk,v", "a").Node("MatMul", "a,O", "y").Output("y").Build();
    }

    private static QuantizedModel Quantize(OnnxModel model, QuantizationOptions options) => ModelQuantizer.Quantize(model, Data, options);

    private static byte[] Codes(QuantizedModel quantized, string name) =>
        [.. quantized.Model.Proto.Graph.Initializer.Where(i => i.Name.StartsWith(name + "_", StringComparison.Ordinal)).SelectMany(i => i.RawData)];
}
