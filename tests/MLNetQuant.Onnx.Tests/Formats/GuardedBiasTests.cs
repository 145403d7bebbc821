using MLNetQuant.Algorithms;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Formats;

public class GuardedBiasTests
{
    private const int Depth = 8;
    private const int Width = 64;
    private const int Silencers = 16;

    [Fact]
    public void With_sparse_relus_a_bias_that_matches_means_destroys_a_deep_net_and_a_guarded_one_does_not()
    {
        // The same function twice: a maximum with zero is not seen to clip, so that its layers take the whole mean error.
        var (guarded, free, untouched) = (Error("Relu", true), Error("Max", true), Error("Relu", false));
        Assert.True(guarded < 1.02 * untouched, $"guarded {guarded}, untouched {untouched}");
        Assert.True(free > 3 * guarded, $"free {free}, guarded {guarded}");
    }

    [Theory]
    [InlineData("Relu", "h", 0, double.PositiveInfinity)]
    [InlineData("Clip", "h,zero,six", 0, 6)]
    [InlineData("Clip", "h,,six", double.NegativeInfinity, 6)]
    public void Ends_are_seen_through_biases_identities_and_factors(string op, string inputs, double low, double high)
    {
        foreach (var alpha in new[] { 2f, -0.5f })
        {
            var b = new GraphBuilder().Input("x", "N,4").Weight("W", 4, 3).Constant("b", [1f, 2, 3], 3).Constant("c", [10f, 20, 30], 1, 3)
                .Constant("zero", [0f]).Constant("six", [6f])
                .Node("Gemm", "x,W,b", "g", ("alpha", alpha), ("beta", 3f)).Node("Add", "c,g", "a").Node("Identity", "a", "h")
                .Node(op, inputs, "y").Output("y");
            var seen = Activation(b)!;
            for (var i = 0; i < 3; i++)
            {
                var offset = (3 * (i + 1)) + (10 * (i + 1));
                double[] ends = [(low - offset) / alpha, (high - offset) / alpha];
                Assert.Equal((ends.Min(), ends.Max()), (seen.Low[i], seen.High[i]));
            }
        }
    }

    [Fact]
    public void Other_readers_outputs_and_steps_between_hide_the_activation()
    {
        Assert.NotNull(Activation(Layer().Node("Relu", "h", "y").Output("y")));
        Assert.Null(Activation(Layer().Node("Relu", "h", "y").Output("y").Output("h")));
        Assert.Null(Activation(Layer().Node("Relu", "h", "r").Node("Add", "r,h", "y").Output("y")));
        Assert.Null(Activation(Layer().Node("Tanh", "h", "t").Node("Relu", "t", "y").Output("y")));
        Assert.Null(Activation(Layer().Weight("square", 3, 3).Node("Add", "h,square", "a").Node("Relu", "a", "y").Output("y")));
        Assert.Null(Activation(Layer().Node("Sigmoid", "h", "y").Output("y")));

        static GraphBuilder Layer() => new GraphBuilder().Input("x", "N,4").Weight("W", 4, 3).Node("MatMul", "x,W", "h");
    }

    private static ClippingActivation? Activation(GraphBuilder b)
    {
        var index = new GraphIndex(b.Build().Proto);
        return ClippingActivation.After(LayerFinder.Find(index).Layers[0], index);
    }

    /// <summary>
    /// The relative error of the outputs of a deep net in which nine rows in ten silence all neurons: some inputs, large on
    /// those rows and zero on the others, pass through all layers and push every other neuron far below zero.
    /// </summary>
    private static double Error(string activation, bool correct)
    {
        var b = new GraphBuilder(seed: 5).Input("x", $"N,{Width}").Constant("zero", [0f]);
        var tensor = "x";
        for (var layer = 0; layer < Depth; layer++)
        {
            var random = b.Floats(Width * Width);
            float[] weights =
            [
                .. random.Select((r, k) => (k / Width, k % Width) switch
                {
                    var (t, i) when i < Silencers => t == i ? 1 : 0,
                    (< Silencers, _) => -1 + (0.5f * r),
                    _ => 0.4f * r,
                }),
            ];
            b.Constant($"W{layer}", weights, Width, Width).Constant($"b{layer}", new float[Width], Width)
                .Node("Gemm", $"{tensor},W{layer},b{layer}", $"h{layer}")
                .Node(activation, activation == "Max" ? $"h{layer},zero" : $"h{layer}", $"r{layer}");
            tensor = $"r{layer}";
        }

        var readout = b.Floats(Width * 10);
        Array.Clear(readout, 0, Silencers * 10);
        var model = b.Constant("V", readout, Width, 10).Node("MatMul", $"{tensor},V", "y").Output("y").Build();
        var values = b.Floats(1000 * Width);
        for (var k = 0; k < values.Length; k++)
            values[k] = k % Width >= Silencers ? values[k] : k / Width % 10 == 0 ? 0 : 12;
        var x = OnnxTensor.Create(values, [1000, Width]);
        var options = new QuantizationOptions { Bits = 5, Algorithm = new Msq(), BiasCorrection = correct, Exclude = ["y"] };
        var quantized = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options).Model;
        var (expected, actual) = (Runtime.Run(model, "y", ("x", x)), Runtime.Run(quantized, "y", ("x", x)));
        return Math.Sqrt(expected.Zip(actual).Sum(p => Math.Pow(p.First - p.Second, 2)) / expected.Sum(e => (double)e * e));
    }
}
