using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Proto;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Graph;

/// <summary>A prepared model computes what the model did, and its weights are where layers are looked for.</summary>
public class ModelPreparationTests
{
    private static readonly Dictionary<string, (Func<GraphBuilder> Build, string Input, string[] Layers)> Models = new()
    {
        ["weight in a Constant node"] = (
            () => new GraphBuilder().Node("Constant", "", "W", ("value", Random("", 6, 4))).Node("MatMul", "x,W", "y"), "N,6", ["MatMul"]),
        ["weight through Transpose, Reshape and Identity"] = (
            () => new GraphBuilder().Weight("V", 2, 2, 6).Constant("s", [4L, 6], 2).Node("Reshape", "V,s", "R").Node("Transpose", "R", "T")
                .Node("Identity", "T", "W").Node("MatMul", "x,W", "y"), "N,6", ["MatMul"]),
        ["weight cast from double"] = (
            () => new GraphBuilder().Node("Constant", "", "D", ("value", Doubles(6, 4))).Node("Cast", "D", "W", ("to", 1L)).Node("MatMul", "x,W", "y"), "N,6", ["MatMul"]),
        ["weight sliced out of another, the rest in use"] = (
            () => new GraphBuilder().Weight("V", 6, 8).Node("Split", "V", "W,U", ("axis", 1L))
                .Node("MatMul", "x,W", "p").Node("MatMul", "x,U", "q").Node("Add", "p,q", "y"), "N,6", ["MatMul", "MatMul"]),
        ["filters and bias through Unsqueeze"] = (
            () => new GraphBuilder().Weight("V", 4, 6).Weight("c", 1, 4).Constant("axes", [2L], 1).Constant("first", [0L], 1)
                .Node("Unsqueeze", "V,axes", "W").Node("Squeeze", "c,first", "b").Node("Conv", "x,W,b", "y"), "N,6,5", ["Conv"]),
        ["batch normalization behind a convolution without bias"] = (
            () => Norm(new GraphBuilder().Weight("W", 4, 3, 2).Node("Conv", "x,W", "h", ("group", 2L)), 4), "N,6,5", ["Conv"]),
        ["batch normalization behind a convolution with bias"] = (
            () => Norm(new GraphBuilder().Weight("W", 4, 6, 2).Weight("b", 4).Node("Conv", "x,W,b", "h"), 4), "N,6,5", ["Conv"]),
        ["batch normalization behind a transposed convolution"] = (
            () => Norm(new GraphBuilder().Weight("W", 6, 2, 3).Node("ConvTranspose", "x,W", "h", ("group", 2L)), 4), "N,6,5", ["ConvTranspose"]),
        ["batch normalization behind Gemm"] = (
            () => Norm(new GraphBuilder().Weight("W", 4, 6).Weight("b", 4).Node("Gemm", "x,W,b", "h", ("transB", 1L)), 4), "N,6", ["Gemm"]),
        ["batch normalization of parameters through Identity"] = (
            () => Norm(new GraphBuilder().Weight("W", 4, 6, 2).Node("Conv", "x,W", "h"), 4, "Identity"), "N,6,5", ["Conv"]),
        ["batch normalization in front of a convolution with groups and bias"] = (
            () => Norm(new GraphBuilder().Weight("W", 4, 3, 2).Weight("b", 4), 6, input: "x", output: "n").Node("Conv", "n,W,b", "y", ("group", 2L)), "N,6,5", ["Conv"]),
        ["batch normalization in front of a convolution, VALID"] = (
            () => Norm(new GraphBuilder().Weight("W", 4, 6, 2), 6, input: "x", output: "n").Node("Conv", "n,W", "y", ("auto_pad", "VALID"), ("strides", new long[] { 2 })), "N,6,5", ["Conv"]),
        ["batch normalization without shift in front of a padded convolution"] = (
            () => Norm(new GraphBuilder().Weight("W", 4, 6, 2), 6, input: "x", output: "n", shifts: false).Node("Conv", "n,W", "y", ("pads", new long[] { 1, 1 })), "N,6,5", ["Conv"]),
        ["batch normalization without shift in front of a transposed convolution"] = (
            () => Norm(new GraphBuilder().Weight("W", 6, 2, 3), 6, input: "x", output: "n", shifts: false).Node("ConvTranspose", "n,W", "y", ("group", 2L)), "N,6,5", ["ConvTranspose"]),
        ["batch normalization in front of Gemm"] = (
            () => Norm(new GraphBuilder().Weight("W", 6, 4), 6, input: "x", output: "n").Node("Gemm", "n,W", "y"), "N,6", ["Gemm"]),
        ["batch normalization in front of Gemm, transB"] = (
            () => Norm(new GraphBuilder().Weight("W", 4, 6).Weight("b", 4), 6, input: "x", output: "n").Node("Gemm", "n,W,b", "y", ("transB", 1L)), "N,6", ["Gemm"]),
        ["batch normalizations on both sides"] = (
            () => Norm(
                Norm(new GraphBuilder().Weight("W", 4, 6, 2), 6, input: "x", output: "n").Node("Conv", "n,W", "h"), 4, name: "second_"), "N,6,5", ["Conv"]),
        ["two batch normalizations"] = (
            () => Norm(Norm(new GraphBuilder().Weight("W", 4, 6, 2).Node("Conv", "x,W", "h"), 4, output: "k"), 4, input: "k", name: "second_"), "N,6,5", ["Conv"]),
    };

    public static TheoryData<string> Names => [.. Models.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_outputs_stay_and_the_layers_are_found(string name)
    {
        var (build, input, layers) = Models[name];
        var b = build();
        var model = b.Input("x", input).Output("y").Build();
        var x = b.Rows([7, .. input.Split(',').Skip(1).Select(long.Parse)]);
        var prepared = ModelPreparation.Apply(model.Proto);
        var (expected, actual) = (Run(model.Proto, x), Run(prepared, x));
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), p => Assert.Equal(p.First, p.Second, 1e-5 * (1 + Math.Abs(p.First))));
        Assert.Equal(layers, LayerFinder.Find(new GraphIndex(prepared)).Layers.Select(l => l.Node.Op));
        Assert.Equal(name == "two batch normalizations" ? 1 : 0, prepared.Graph.Node.Count(n => n.OpType == "BatchNormalization"));
        Assert.DoesNotContain(prepared.Graph.Node, n => n.OpType is "Constant" or "Identity" or "Transpose" or "Reshape" or "Unsqueeze");
    }

    [Theory]
    [InlineData("its output is an output of the model")]
    [InlineData("something else reads the layer")]
    [InlineData("its weight is shared")]
    [InlineData("it is training")]
    public void A_batch_normalization_stays_where_folding_would_change_something_else(string why)
    {
        var b = new GraphBuilder(opset: 14).Weight("W", 4, 6, 2).Node("Conv", "x,W", "h");
        b = why switch
        {
            "its output is an output of the model" => b.Output("h"),
            "something else reads the layer" => b.Node("Relu", "h", "r").Output("r"),
            "its weight is shared" => b.Node("Conv", "x,W", "r").Output("r"),
            _ => b,
        };
        Norm(b, 4);
        if (why == "it is training")
        {
            b.Graph.Node[^1].Attribute.Add(NodeAttributes.Attribute("training_mode", 1));
            b.Graph.Node[^1].Output.Add("mean");
            b.Graph.Node[^1].Output.Add("var");
        }

        var model = b.Input("x", "N,6,5").Output("y").Build();
        var prepared = ModelPreparation.Apply(model.Proto);
        Assert.Contains(prepared.Graph.Node, n => n.OpType == "BatchNormalization");
    }

    [Theory]
    [InlineData("padded")]
    [InlineData("padded on one side")]
    [InlineData("SAME_UPPER")]
    [InlineData("transposed convolution")]
    [InlineData("read by another node too")]
    [InlineData("an output too")]
    [InlineData("weight shared")]
    [InlineData("Gemm, transA")]
    public void A_batch_normalization_in_front_of_a_layer_stays_where_folding_would_not_be_exact(string why)
    {
        var gemm = why.StartsWith("Gemm", StringComparison.Ordinal);
        var b = Norm(gemm ? new GraphBuilder().Weight("W", 6, 4) : new GraphBuilder().Weight("W", 6, 6, 2), 6, input: "x", output: "n");
        b = why switch
        {
            "padded" => b.Node("Conv", "n,W", "y", ("pads", new long[] { 1, 1 })),
            "padded on one side" => b.Node("Conv", "n,W", "y", ("pads", new long[] { 0, 1 })),
            "SAME_UPPER" => b.Node("Conv", "n,W", "y", ("auto_pad", "SAME_UPPER")),
            "transposed convolution" => b.Node("ConvTranspose", "n,W", "y"),
            "read by another node too" => b.Node("Conv", "n,W", "y").Node("Relu", "n", "r").Output("r"),
            "an output too" => b.Node("Conv", "n,W", "y").Output("n"),
            "weight shared" => b.Node("Conv", "n,W", "c").Node("Conv", "c,W", "y"),
            _ => b.Node("Gemm", "n,W", "y", ("transA", 1L)),
        };
        var model = b.Input("x", gemm ? "6,6" : "N,6,5").Output("y").Build();
        var prepared = ModelPreparation.Apply(model.Proto);
        Assert.Contains(prepared.Graph.Node, n => n.OpType == "BatchNormalization");
    }

    [Fact]
    public void A_constant_that_a_caller_may_replace_is_no_weight()
    {
        var b = new GraphBuilder().Input("x", "N,6").Input("V", "4,6").Weight("V", 4, 6).Node("Transpose", "V", "W").Node("MatMul", "x,W", "y").Output("y");
        Assert.Contains(ModelPreparation.Apply(b.Proto()).Graph.Node, n => n.OpType == "Transpose");
    }

    [Fact]
    public void Functions_are_inlined_one_in_another_with_their_attributes_and_names_of_their_own()
    {
        // outer(v; slope) = LeakyRelu(inner(v), slope);  inner(v) = v·W + v with W inside; both are called twice.
        var inner = new FunctionProto { Name = "inner", Domain = "local", Input = { "v" }, Output = { "o" }, OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 13 } } };
        inner.Node.Add(new GraphBuilder().Node("Constant", "", "W", ("value", Random("", 6, 6))).Graph.Node[0]);
        inner.Node.AddRange(new GraphBuilder().Node("MatMul", "v,W", "h").Node("Add", "h,v", "o").Graph.Node);
        var outer = new FunctionProto
        {
            Name = "outer",
            Domain = "local",
            Input = { "v", "unused" },
            Output = { "o", "same" },
            Attribute = { "slope" },
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 13 }, new OperatorSetIdProto { Domain = "local", Version = 1 } },
        };
        outer.Node.AddRange(new GraphBuilder().Node("local::inner", "v", "h").Node("LeakyRelu", "h", "o").Node("Neg", "v", "same").Graph.Node);
        outer.Node[1].Attribute.Add(new AttributeProto { Name = "alpha", RefAttrName = "slope", Type = AttributeProto.Types.AttributeType.Float });
        var b = new GraphBuilder().Input("x", "N,6").Named("a", "local::outer", "x", "h,n", ("slope", 0.3f)).Named("b", "local::outer", "h", "k,m", ("slope", -0.2f))
            .Node("Add", "k,n", "y").Output("y");
        var proto = b.Proto();
        proto.Functions.Add(inner);
        proto.Functions.Add(outer);
        proto.OpsetImport.Add(new OperatorSetIdProto { Domain = "local", Version = 1 });
        var x = b.Rows(5, 6);
        var prepared = ModelPreparation.Apply(proto);
        Assert.Empty(prepared.Functions);
        Assert.Equal(2, LayerFinder.Find(new GraphIndex(prepared)).Layers.Count);
        var (expected, actual) = (Run(proto, x), Run(prepared, x));
        Assert.All(expected.Zip(actual), p => Assert.Equal(p.First, p.Second, 1e-6 * (1 + Math.Abs(p.First))));
        Assert.Contains(expected, v => v < 0);
    }

    [Fact]
    public void A_function_of_another_operator_set_stays_a_function()
    {
        var function = new FunctionProto { Name = "f", Domain = "local", Input = { "v" }, Output = { "o" }, OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 14 } } };
        function.Node.AddRange(new GraphBuilder().Node("Relu", "v", "o").Graph.Node);
        var b = new GraphBuilder().Input("x", "N,6").Weight("W", 6, 6).Node("local::f", "x", "h").Node("MatMul", "h,W", "y").Output("y");
        var proto = b.Proto();
        proto.Functions.Add(function);
        proto.OpsetImport.Add(new OperatorSetIdProto { Domain = "local", Version = 1 });
        Assert.Single(ModelPreparation.Apply(proto).Functions);
    }

    private static float[] Run(ModelProto model, OnnxTensor x) =>
        Runtime.Run(model, new Dictionary<string, OnnxTensor> { ["x"] = x })["y"].Values<float>().ToArray();

    private static GraphBuilder Norm(GraphBuilder b, long channels, string? through = null, string input = "h", string output = "y", string name = "", bool shifts = true)
    {
        string[] parts = [.. new[] { "gamma", "beta", "mean", "var" }.Select(p => name + p)];
        foreach (var part in parts)
        {
            var values = b.Floats(channels);
            if (part.EndsWith("var", StringComparison.Ordinal))
                values = [.. values.Select(v => Math.Abs(v) + 0.1f)];
            if (!shifts && (part.EndsWith("beta", StringComparison.Ordinal) || part.EndsWith("mean", StringComparison.Ordinal)))
                Array.Clear(values);
            b.Constant(through is null ? part : $"raw_{part}", values, channels);
            if (through is not null)
                b.Node(through, $"raw_{part}", part);
        }

        return b.Node("BatchNormalization", $"{input},{string.Join(',', parts)}", output, ("epsilon", 0.01f));
    }

    private static TensorProto Random(string name, params long[] dims)
    {
        var b = new GraphBuilder(seed: 5);
        return GraphBuilder.Tensor(name, b.Floats(dims.Aggregate(1L, (x, y) => x * y)), dims);
    }

    private static TensorProto Doubles(long rows, long columns)
    {
        var floats = new GraphBuilder(seed: 6).Floats(rows * columns);
        var tensor = new TensorProto { DataType = (int)TensorProto.Types.DataType.Double, DoubleData = { floats.Select(f => (double)f) } };
        tensor.Dims.AddRange([rows, columns]);
        return tensor;
    }
}
