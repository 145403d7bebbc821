using MLNetQuant.Algorithms;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Graph;

public class ConstantSumsTests
{
    [Theory]
    [InlineData("m,b", true, "5")]
    [InlineData("b,m", true, "1,1,5")]
    [InlineData("m,b", false, "3,5")]
    [InlineData("m,x2", false, "5")]
    public void A_corrected_bias_goes_into_the_one_that_follows(string sum, bool merges, string shape)
    {
        var b = new GraphBuilder().Input("x", "N,3,4").Input("x2", "N,3,5").Weight("W", 4, 5).Weight("b", [.. shape.Split(',').Select(long.Parse)])
            .Node("MatMul", "x,W", "m").Node("Add", sum, "s").Node("Relu", "s", "y").Output("y");
        var (corrected, plain) = Quantize(b, ("x", Rows(b, 50, 3, 4)), ("x2", b.Rows(50, 3, 5)));
        Assert.Equal(merges ? 1 : 2, corrected.Proto.Graph.Node.Count(n => n.OpType == "Add"));
        Assert.Equal(merges || sum == "m,x2", corrected.Proto.Graph.Initializer.All(i => i.Name != "b"));
        if (merges)
            Assert.NotEqual(TensorValues.ReadFloats(plain.Proto.Graph.Initializer.Single(i => i.Name == "b")), TensorValues.ReadFloats(corrected.Proto.Graph.Initializer.Single(i => i.Name == "m_bias")));
    }

    [Fact]
    public void Values_that_others_read_and_shared_biases_stay()
    {
        var b = new GraphBuilder().Input("x", "N,4").Weight("W", 4, 5).Weight("V", 4, 5).Weight("b", 5)
            .Node("MatMul", "x,W", "m").Node("Add", "m,b", "s").Node("Relu", "m", "r")
            .Node("MatMul", "x,V", "n").Node("Add", "n,b", "t").Node("Sum", "r,s,t", "y").Output("y").Output("n");
        var x = Rows(b, 50, 4);
        var (corrected, _) = Quantize(b, ("x", x));
        var graph = corrected.Proto.Graph;
        Assert.Equal(4, graph.Node.Count(n => n.OpType == "Add"));
        Assert.Contains(graph.Initializer, i => i.Name == "b");

        var shared = new GraphBuilder().Input("x", "N,4").Weight("W", 4, 5).Weight("V", 4, 5).Weight("b", 5)
            .Node("MatMul", "x,W", "m").Node("Add", "m,b", "s")
            .Node("MatMul", "x,V", "n").Node("Add", "n,b", "t").Node("Add", "s,t", "y").Output("y");
        var (both, plain) = Quantize(shared, ("x", x));
        Assert.Equal(3, both.Proto.Graph.Node.Count(n => n.OpType == "Add"));
        Assert.DoesNotContain(both.Proto.Graph.Initializer, i => i.Name == "b");
        var (with, without) = (Runtime.Run(both, "y", ("x", x)), Runtime.Run(plain, "y", ("x", x)));
        var biases = Enumerable.Range(0, 5).Select(j => with[j] - without[j]).ToArray();
        Assert.All(biases, bias => Assert.NotEqual(0, bias, 1e-3f));
        Assert.All(Enumerable.Range(0, with.Length), i => Assert.Equal(biases[i % 5], with[i] - without[i], 1e-5f));
    }

    /// <summary>Rows whose mean is no zero, so that rounding shifts the outputs.</summary>
    private static OnnxTensor Rows(GraphBuilder b, params long[] shape) =>
        OnnxTensor.Create([.. b.Rows(shape).Values<float>().ToArray().Select(v => v + 1)], shape);

    private static (OnnxModel Corrected, OnnxModel Plain) Quantize(GraphBuilder b, params (string, OnnxTensor)[] rows)
    {
        var options = new QuantizationOptions { Bits = 4, Algorithm = new Gpfq() };
        var (model, data) = (b.Build(), CalibrationRows.Of(rows));
        return (ModelQuantizer.Quantize(model, data, options).Model, ModelQuantizer.Quantize(model, data, options with { BiasCorrection = false }).Model);
    }
}
