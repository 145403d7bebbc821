using Google.Protobuf;
using MLNetQuant.Onnx.Calibration;
using MLNetQuant.Onnx.Formats;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Numerics;
using MLNetQuant.Onnx.Proto;
using MLNetQuant.Onnx.Tests.Models;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.Tests.Calibration;

/// <summary>Both streams of the walk against runs of the whole model whose layer inputs were made outputs.</summary>
[Collection("Temporary files")]
public class WalkTests
{
    [Theory]
    [InlineData(8)]
    [InlineData(5)]
    [InlineData(100)]
    public void Every_layer_receives_what_the_whole_model_would_feed_it(int batchSize) =>
        Check(Winding("N").Build(), batchSize, 21);

    [Fact]
    public void A_model_with_a_fixed_batch_of_one_is_walked_row_by_row() => Check(Winding("1").Build(), 32, 7);

    [Fact]
    public void The_input_that_two_layers_read_is_theirs_in_both_streams()
    {
        var b = new GraphBuilder()
            .Input("x", "N,6").Weight("A", 6, 5).Weight("B", 5, 5).Weight("C", 5, 5)
            .Node("MatMul", "x,A", "h")
            .Node("MatMul", "h,B", "left").Node("MatMul", "h,C", "right")
            .Node("Add", "left,right", "y").Output("y");
        Check(b.Build(), 4, 9, input: "N,6");
    }

    [Fact]
    public void A_tensor_without_elements_survives_the_walk()
    {
        var b = new GraphBuilder()
            .Input("x", "N,6").Weight("A", 6, 4).Weight("B", 4, 3).Weight("C", 3, 3)
            .Constant("from", [0L], 1).Constant("to", [0L], 1).Constant("axis", [1L], 1)
            .Node("Slice", "x,from,to,axis", "nothing")
            .Node("MatMul", "x,A", "h")
            .Node("Concat", "h,nothing", "i", ("axis", 1L))
            .Node("MatMul", "i,B", "j").Node("MatMul", "j,C", "y").Output("y");
        Check(b.Build(), 4, 9, input: "N,6");
    }

    [Fact]
    public void A_sparse_initializer_on_the_way_is_carried_along()
    {
        var b = new GraphBuilder(ir: 8)
            .Input("x", "N,6").Weight("A", 6, 4).Weight("B", 4, 3)
            .Node("MatMul", "x,A", "h").Node("Add", "h,sparse", "i").Node("MatMul", "i,B", "y").Output("y");
        b.Graph.SparseInitializer.Add(new SparseTensorProto
        {
            Values = GraphBuilder.Tensor("sparse", [2.5f], 1),
            Indices = new TensorProto { DataType = (int)DataType.Int64, Dims = { 1 }, Int64Data = { 2 } },
            Dims = { 1, 4 },
        });
        Check(b.Build(), 4, 9, input: "N,6");
    }

    [Fact]
    public void A_function_of_the_model_is_carried_along()
    {
        var b = new GraphBuilder(ir: 8)
            .Input("x", "N,6").Weight("A", 6, 4).Weight("B", 4, 3).Weight("C", 3, 3)
            .Node("MatMul", "x,A", "h").Node("local::Twice", "h", "i").Node("MatMul", "i,B", "j").Node("local::Twice", "j", "k")
            .Node("MatMul", "k,C", "y").Output("y");
        var model = b.Proto();
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "local", Version = 1 });
        model.Functions.Add(new FunctionProto
        {
            Name = "Twice",
            Domain = "local",
            Input = { "a" },
            Output = { "b" },
            Node = { new NodeProto { OpType = "Add", Input = { "a", "a" }, Output = { "b" } } },
            OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 13 } },
        });
        Check(OnnxModel.Parse(model.ToByteArray()), 4, 9, input: "N,6");
    }

    [Fact]
    public void A_loop_that_captures_outer_tensors_runs_in_both_streams()
    {
        var body = new GraphBuilder()
            .Input("n", "", DataType.Int64).Input("before", "", DataType.Bool).Input("sum", "N,4")
            .Node("Identity", "before", "after").Node("Add", "sum,h", "next")
            .Output("after", DataType.Bool).Output("next").Graph;
        var b = new GraphBuilder()
            .Input("x", "N,6").Weight("A", 6, 4).Weight("B", 4, 3).Weight("C", 3, 3).Constant("times", [3L])
            .Node("MatMul", "x,A", "h").Node("Relu", "h", "r")
            .Node("Loop", "times,,r", "looped", ("body", body))
            .Node("MatMul", "looped,B", "j").Node("MatMul", "j,C", "y").Output("y");
        Check(b.Build(), 4, 9, input: "N,6");
    }

    [Fact]
    public void Layers_before_the_first_quantized_one_see_equal_streams()
    {
        var model = Winding("N").Build();
        var index = new GraphIndex(model.Proto);
        var layers = LayerFinder.Find(index).Layers;
        var batches = Batches(model, Data(12, "N,2,6,6"), 4);
        using var walk = new CalibrationWalk(model.Proto, index, layers, batches, 1, long.MaxValue, default);
        Assert.True(walk.Advance(layers[0]).AreEqual);
        Assert.True(walk.Advance(layers[1]).AreEqual);
    }

    [Fact]
    public void A_layer_whose_bias_is_no_constant_brings_no_outputs_and_the_walk_goes_on()
    {
        var model = new GraphBuilder()
            .Input("x", "N,6").Weight("A", 6, 4).Weight("B", 4, 4).Weight("C", 4, 3)
            .Node("MatMul", "x,A", "h").Node("Tanh", "h", "t")
            .Node("Gemm", "t,B,h", "g").Node("Relu", "g", "r").Node("MatMul", "r,C", "y").Output("y")
            .Build();
        var index = new GraphIndex(model.Proto);
        var layers = LayerFinder.Find(index).Layers;
        var batches = Batches(model, Data(9, "N,6"), 4);
        using var walk = new CalibrationWalk(model.Proto, index, layers, batches, 1, long.MaxValue, default);
        using var product = new OnnxRuntimeMatrixProduct();
        var quantizer = new LayerQuantizer(index, QuantizationOptions.Default with { Bits = 3 }, product);
        var names = new FreshNames(model.Proto.Graph);
        foreach (var (number, layer) in layers.Index())
        {
            var walked = walk.Advance(layer);
            Assert.Equal(layer.Node.Op != "Gemm", walked.FloatOutputs is not null);
            foreach (var (batch, rows) in batches.Index())
                Close(Runtime.Run(model.Proto, rows, [layer.Node.Input], level: 0)[layer.Node.Input], walked.Float[batch].Read());
            walk.Replace(layer, new FloatFormat().Write(quantizer.Quantize(layer, number, walked).Layer, names));
        }
    }

    /// <summary>
    /// Two convolutions with a residual, a depthwise one, static shape arithmetic, an If that captures an outer tensor
    /// and a static one, a node that nothing reads, and three layers at the end of which two share their input.
    /// </summary>
    private static GraphBuilder Winding(string batch)
    {
        var then = new GraphBuilder();
        then.Node("Add", "r3,half", "then_y").Output("then_y");
        var otherwise = new GraphBuilder();
        otherwise.Node("Sub", "r1,half", "else_y").Output("else_y");
        return new GraphBuilder()
            .Input("x", $"{batch},2,6,6")
            .Weight("W1", 4, 2, 3, 3).Weight("b1", 4).Weight("W2", 4, 4, 3, 3).Weight("W3", 4, 1, 3, 3)
            .Weight("W4", 7, 144).Weight("b4", 7).Weight("W5", 7, 5).Weight("W6", 7, 5).Constant("zero", [0f])
            .Named("conv1", "Conv", "x,W1,b1", "c1", ("pads", new long[] { 1, 1, 1, 1 }))
            .Node("Relu", "c1", "r1")
            .Named("conv2", "Conv", "r1,W2", "c2", ("pads", new long[] { 1, 1, 1, 1 }))
            .Node("Add", "c2,r1", "s2")
            .Node("Neg", "s2", "unused")
            .Named("depthwise", "Conv", "s2,W3", "c3", ("pads", new long[] { 1, 1, 1, 1 }), ("group", 4L))
            .Node("Add", "c3,s2", "r3")
            .Node("Constant", "", "raw_half", ("value", GraphBuilder.Tensor("", [0.5f])))
            .Node("Identity", "raw_half", "half")
            .Node("ReduceSum", "r3", "sum", ("keepdims", 0L))
            .Node("Greater", "sum,zero", "positive")
            .Node("If", "positive", "chosen", ("then_branch", then.Graph), ("else_branch", otherwise.Graph))
            .Constant("first", [0L], 1).Constant("second", [144L], 1)
            .Node("Concat", "first,second", "shape", ("axis", 0L))
            .Node("Reshape", "chosen,shape", "flat")
            .Named("gemm", "Gemm", "flat,W4,b4", "g", ("transB", 1L), ("alpha", 0.5f))
            .Node("Tanh", "g", "t")
            .Named("left", "MatMul", "t,W5", "y1")
            .Named("right", "MatMul", "t,W6", "y2")
            .Node("Add", "y1,y2", "y")
            .Output("y").Output("r1");
    }

    private static void Check(OnnxModel model, int batchSize, int rows, string input = "N,2,6,6")
    {
        foreach (var budget in (long[])[long.MaxValue, 3000, 0])
            Check(model, batchSize, rows, input, budget);
    }

    private static void Check(OnnxModel model, int batchSize, int rows, string input, long budget)
    {
        var index = new GraphIndex(model.Proto);
        var layers = LayerFinder.Find(index).Layers;
        var data = Data(rows, input);
        var batches = Batches(model, data, batchSize);
        Assert.Equal(rows, batches.Sum(b => (int)b["x"].Shape[0]));
        using var walk = new CalibrationWalk(model.Proto, index, layers, batches, 2, budget, default);
        using var product = new OnnxRuntimeMatrixProduct();
        var quantizer = new LayerQuantizer(index, QuantizationOptions.Default with { Bits = 3, BiasCorrection = true }, product);
        var names = new FreshNames(model.Proto.Graph);
        var rewrites = new GraphRewrites();
        foreach (var (number, layer) in layers.Index())
        {
            var walked = walk.Advance(layer);
            var quantized = GraphRewriter.Apply(model.Proto, rewrites, new Dictionary<string, string>());
            foreach (var (batch, rowsOfBatch) in batches.Index())
            {
                Close(Runtime.Run(model.Proto, rowsOfBatch, [layer.Node.Input], level: 0)[layer.Node.Input], walked.Float[batch].Read());
                Close(Runtime.Run(quantized, rowsOfBatch, [layer.Node.Input], level: 0)[layer.Node.Input], walked.Quantized[batch].Read());
                Assert.NotNull(walked.FloatOutputs);
                Close(Runtime.Run(model.Proto, rowsOfBatch, [layer.Node.Output], level: 0)[layer.Node.Output], walked.FloatOutputs[batch].Read());
            }

            if (number > 1)
                Assert.NotEqual(walked.Float[0].Read().Values<float>().ToArray(), walked.Quantized[0].Read().Values<float>().ToArray());
            var rewrite = new FloatFormat().Write(quantizer.Quantize(layer, number, walked).Layer, names);
            rewrites.Add(layer.Node.Index, rewrite);
            walk.Replace(layer, rewrite);
        }
    }

    private static void Close(OnnxTensor expected, OnnxTensor actual)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        var (e, a) = (expected.Values<float>().ToArray(), actual.Values<float>().ToArray());
        // Two optimizations of the same graph: equal to a few units in the last place of sums.
        for (var i = 0; i < e.Length; i++)
            Assert.Equal(e[i], a[i], 2e-5 * (1 + Math.Abs(e[i])));
    }

    private static CalibrationData Data(int rows, string input) => CalibrationRows.Of(
        ("x", new GraphBuilder(seed: 11).Rows([rows, .. input.Split(',').Skip(1).Select(long.Parse)])));

    private static IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> Batches(OnnxModel model, CalibrationData data, int size) =>
        CalibrationBatches.Cut(model, data, size, rows: null).Batches;
}
