using MLNetQuant.Onnx.Calibration;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Tests.Models;
using MLNetQuant.Onnx.Tests.Variants;

namespace MLNetQuant.Onnx.Tests.Layers;

public class LayerUnfoldingTests
{
    public static TheoryData<string> Names => OperatorVariants.PlainNames;

    [Theory]
    [MemberData(nameof(Names))]
    public void Unfolded_input_times_gathered_weights_is_what_the_runtime_computes(string name)
    {
        var test = OperatorVariants.All[name];
        var model = test.Model();
        var layer = Layer(model);
        var input = Input(test, layer);
        var weights = Floats(model, "W")!;
        var bias = Floats(model, "b");
        var expected = Runtime.Run(model.Proto, new Dictionary<string, OnnxTensor> { ["x"] = test.Test() })["y"];
        var (n, m) = (layer.Layout.Inputs, layer.Layout.Outputs);
        var rows = layer.CountRows(input.Shape);
        Assert.Equal(expected.Length, rows * layer.Layout.AllOutputs);

        var x = new float[rows * n];
        for (var g = 0; g < layer.Layout.Groups; g++)
        {
            Array.Fill(x, float.NaN);
            layer.Unfold(input, AllRows(rows), g, x);
            var w = layer.Layout.Gather<float>(weights, g);
            for (var row = 0; row < rows; row++)
            {
                for (var j = 0; j < m; j++)
                {
                    var sum = 0.0;
                    for (var t = 0; t < n; t++)
                        sum += (double)x[(row * n) + t] * w[t, j];
                    var output = (g * m) + j;
                    var actual = (test.Alpha * sum) + (test.Beta * (bias?[output] ?? 0));
                    Assert.Equal(expected.Values<float>()[Place(layer, expected, row, output)], actual, 1e-5 * (1 + n));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Some_rows_are_those_rows_of_all_rows(string name)
    {
        var test = OperatorVariants.All[name];
        var model = test.Model();
        var layer = Layer(model);
        var input = Input(test, layer);
        var n = layer.Layout.Inputs;
        var rows = layer.CountRows(input.Shape);
        int[] some = [.. Enumerable.Range(0, rows).Where(r => r % 3 != 1).Reverse()];
        for (var g = 0; g < layer.Layout.Groups; g++)
        {
            var all = new float[rows * n];
            layer.Unfold(input, AllRows(rows), g, all);
            var chosen = new float[some.Length * n];
            layer.Unfold(input, some, g, chosen);
            foreach (var (i, row) in some.Index())
                Assert.Equal(all[(row * n)..((row + 1) * n)], chosen[(i * n)..((i + 1) * n)]);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Unfolded_outputs_less_the_bias_are_the_unfolded_input_times_the_weights(string name)
    {
        var test = OperatorVariants.All[name];
        var model = test.Model();
        var index = new GraphIndex(model.Proto);
        var layer = Layer(model);
        var input = Input(test, layer);
        var output = Runtime.Run(model.Proto, new Dictionary<string, OnnxTensor> { ["x"] = test.Test() })["y"];
        Assert.True(LayerOutputs.AreReadable(layer, index));
        var outputs = LayerOutputs.Of(layer, new([new GivenTensor(input)], [new GivenTensor(input)]) { FloatOutputs = [new GivenTensor(output)] }, index)!;
        var (n, m) = (layer.Layout.Inputs, layer.Layout.Outputs);
        int[] rows = [.. AllRows(layer.CountRows(input.Shape)).Where(r => r % 3 != 1).Reverse()];
        for (var g = 0; g < layer.Layout.Groups; g++)
        {
            var w = layer.Layout.Gather<float>(Floats(model, "W")!, g);
            var x = new float[rows.Length * n];
            layer.Unfold(input, rows, g, x);
            var y = new float[rows.Length * m];
            Array.Fill(y, float.NaN);
            Assert.True(outputs.TryRead(output, rows, g, y));
            for (var i = 0; i < y.Length; i++)
            {
                var sum = 0.0;
                for (var t = 0; t < n; t++)
                    sum += (double)x[(i / m * n) + t] * w[t, i % m];
                Assert.Equal(sum, y[i], 1e-5 * (1 + n));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Scattering_what_was_gathered_restores_the_tensor(string name)
    {
        var model = OperatorVariants.All[name].Model();
        var layer = Layer(model);
        var weights = Floats(model, "W")!;
        var restored = new float[weights.Length];
        Array.Fill(restored, float.NaN);
        for (var g = 0; g < layer.Layout.Groups; g++)
            layer.Layout.Scatter(layer.Layout.Gather<float>(weights, g), g, restored);
        Assert.Equal(weights, restored);
    }

    private static ILayer Layer(OnnxModel model) => Assert.Single(LayerFinder.Find(new GraphIndex(model.Proto)).Layers);

    /// <summary>What the layer reads when the model runs.</summary>
    private static OnnxTensor Input(Variant test, ILayer layer) => layer.Node.Input == "x"
        ? test.Test()
        : Runtime.Run(test.Model().Proto, new Dictionary<string, OnnxTensor> { ["x"] = test.Test() }, [layer.Node.Input])[layer.Node.Input];

    private static int[] AllRows(int rows) => [.. Enumerable.Range(0, rows)];

    private static float[]? Floats(OnnxModel model, string name) =>
        model.Proto.Graph.Initializer.FirstOrDefault(i => i.Name == name)?.FloatData.ToArray();

    /// <summary>Where the output of a row stands: a convolution keeps its channels before its positions.</summary>
    private static int Place(ILayer layer, OnnxTensor output, int row, int channel)
    {
        if (layer.Node.Op != "Conv")
            return (row * layer.Layout.AllOutputs) + channel;
        var positions = (int)output.Shape.Skip(2).Aggregate(1L, (a, b) => a * b);
        var (image, position) = Math.DivRem(row, positions);
        return (((image * layer.Layout.AllOutputs) + channel) * positions) + position;
    }
}
