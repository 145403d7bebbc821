using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Proto;
using MLNetQuant.Onnx.Tests.Models;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.Tests.Layers;

public class LayerFinderTests
{
    [Fact]
    public void Layers_come_in_graph_order_under_their_node_names()
    {
        var (layers, skipped) = Find(new GraphBuilder()
            .Input("x", "N,4")
            .Weight("A", 4, 5).Weight("B", 6, 5).Weight("b", 6)
            .Named("first", "MatMul", "x,A", "h")
            .Named("second", "Gemm", "h,B,b", "y", ("transB", 1L))
            .Output("y"));
        Assert.Equal(["first", "second"], layers.Select(l => l.Node.Name));
        Assert.Equal(["A", "B"], layers.Select(l => l.Node.Weight.Name));
        Assert.Equal([(4, 5), (5, 6)], layers.Select(l => (l.Layout.Inputs, l.Layout.Outputs)));
        Assert.Empty(skipped);
    }

    [Fact]
    public void A_node_without_a_name_is_called_after_its_weight_and_equal_names_are_numbered()
    {
        var (layers, _) = Find(new GraphBuilder()
            .Input("x", "N,4")
            .Weight("A", 4, 4).Weight("B", 4, 4).Weight("C", 4, 4)
            .Named("", "MatMul", "x,A", "h")
            .Named("same", "MatMul", "h,B", "i")
            .Named("same", "MatMul", "i,C", "y")
            .Output("y"));
        Assert.Equal(["A", "same", "same#2"], layers.Select(l => l.Node.Name));
    }

    [Fact]
    public void A_product_of_two_constants_in_a_loop_body_is_no_layer()
    {
        var body = new GraphBuilder().Input("i", "", DataType.Int64).Input("go", "", DataType.Bool).Input("state", "N,4")
            .Named("constant", "MatMul", "A,B", "c").Named("layer", "MatMul", "state,V", "m").Node("Add", "m,c", "next")
            .Node("Identity", "go", "again").Output("again", DataType.Bool).Output("next");
        var (layers, skipped) = Find(new GraphBuilder().Input("x", "N,4").Weight("A", 4, 4).Weight("B", 4, 4).Weight("V", 4, 4)
            .Constant("times", [3L]).Node("Loop", "times,,x", "y", ("body", body.Graph)).Output("y"));
        Assert.Equal("layer", Assert.Single(layers).Node.Name);
        Assert.Empty(skipped);
    }

    [Fact]
    public void A_weight_of_two_nodes_is_one_layer_with_the_rows_of_both()
    {
        var (layers, skipped) = Find(new GraphBuilder()
            .Input("x", "N,4").Weight("W", 4, 4)
            .Node("MatMul", "x,W", "h").Node("MatMul", "h,W", "y").Output("y"));
        Assert.Empty(skipped);
        var layer = Assert.Single(layers);
        Assert.Equal(("h", "y"), (layer.Node.Name, Assert.Single(layer.Node.Twins).Node.Name));
    }

    [Fact]
    public void A_table_that_is_also_a_matrix_is_one_layer_that_the_matrix_product_calibrates()
    {
        var (layers, skipped) = Find(new GraphBuilder()
            .Input("i", "N", DataType.Int64).Weight("E", 9, 4).Weight("b", 9)
            .Node("Gather", "E,i", "e").Named("head", "Gemm", "e,E,b", "y", ("transB", 1L)).Output("y"));
        Assert.Empty(skipped);
        var layer = Assert.Single(layers);
        Assert.Equal("head", layer.Node.Name);
        Assert.Empty(layer.Node.Twins);
    }

    [Fact]
    public void A_weight_that_is_read_in_two_shapes_is_refused_for_both()
    {
        var (layers, skipped) = Find(new GraphBuilder()
            .Input("x", "N,4").Weight("W", 4, 4).Weight("b", 4)
            .Node("MatMul", "x,W", "h").Node("Gemm", "h,W,b", "y", ("transB", 1L)).Output("y"));
        Assert.Empty(layers);
        Assert.Equal(2, skipped.Count);
        Assert.All(skipped, s => Assert.Equal("its weight 'W' is shared by nodes that read it in different shapes", s.Reason));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_table_whose_rows_only_scale_other_values_is_no_embedding(bool scaled)
    {
        var b = new GraphBuilder().Input("i", "N", DataType.Int64).Input("x", "N,4").Weight("T", 9, 4).Constant("factor", [3f], 1)
            .Named("look", "Gather", "T,i", "t").Node("Mul", scaled ? "t,factor" : "t,x", "y").Output("y");
        var (layers, skipped) = Find(b);
        Assert.Equal(scaled ? 1 : 0, layers.Count);
        Assert.Equal(scaled ? [] : ["its rows only scale other values, as tables of positions do"], skipped.Select(s => s.Reason));
    }

    [Fact]
    public void A_weight_that_a_branch_reads_too_is_refused()
    {
        var branch = Branch(b => b.Node("MatMul", "x,W", "then_y").Output("then_y"));
        var other = Branch(b => b.Node("Identity", "h", "else_y").Output("else_y"));
        var (layers, skipped) = Find(new GraphBuilder()
            .Input("x", "N,4").Input("c", "", DataType.Bool).Weight("W", 4, 4)
            .Node("MatMul", "x,W", "h")
            .Node("If", "c", "y", ("then_branch", branch), ("else_branch", other)).Output("y"));
        Assert.Empty(layers);
        Assert.Contains("is read by 'If' as well", Assert.Single(skipped, s => s.Op == "MatMul").Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_weight_inside_a_branch_is_found_once_it_is_known_that_the_branch_runs()
    {
        var (layers, _) = Find(BranchWeights());
        Assert.Equal(["outer"], layers.Select(l => l.Node.Name));

        var model = BranchWeights().Build();
        var b = new GraphBuilder(seed: 5);
        var data = CalibrationRows.Of(("x", b.Rows(10, 4)), ("c", OnnxTensor.Create([true])));
        var quantized = ModelQuantizer.Quantize(model, data, QuantizationOptions.Default).Model;
        Assert.InRange(ModelComparer.Compare(model, quantized, data).Outputs[0].RelativeError, 1e-9, 0.02);
    }

    [Fact]
    public void A_weight_on_the_left_is_found()
    {
        var (layers, skipped) = Find(new GraphBuilder()
            .Input("x", "4,3").Weight("W", 5, 4).Node("MatMul", "W,x", "y").Output("y"));
        Assert.Empty(skipped);
        Assert.Equal((4, 5, "x"), (Assert.Single(layers).Layout.Inputs, layers[0].Layout.Outputs, layers[0].Node.Input));
    }

    [Fact]
    public void A_weight_of_double_precision_is_refused_by_its_type()
    {
        var b = new GraphBuilder().Input("x", "N,4", DataType.Double);
        b.Graph.Initializer.Add(new TensorProto
        {
            Name = "W",
            DataType = (int)DataType.Double,
            Dims = { 4, 2 },
            RawData = Google.Protobuf.ByteString.CopyFrom(new byte[64]),
        });
        var (layers, skipped) = Find(b.Node("MatMul", "x,W", "y").Output("y", DataType.Double));
        Assert.Empty(layers);
        Assert.Contains("element type Double", Assert.Single(skipped).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_weight_that_a_caller_may_override_is_refused()
    {
        var (layers, skipped) = Find(new GraphBuilder(ir: 4)
            .Input("x", "N,4").Input("W", "4,2").Weight("W", 4, 2).Node("MatMul", "x,W", "y").Output("y"));
        Assert.Empty(layers);
        Assert.Equal("its weight 'W' is also an input of the model, so that a caller may replace it", Assert.Single(skipped).Reason);
    }

    [Fact]
    public void Up_to_IR_3_a_weight_has_to_be_an_input_and_is_found()
    {
        var (layers, skipped) = Find(new GraphBuilder(opset: 8, ir: 3)
            .Input("x", "N,4").Input("W", "4,2").Weight("W", 4, 2).Node("MatMul", "x,W", "y").Output("y"));
        Assert.Single(layers);
        Assert.Empty(skipped);
    }

    [Fact]
    public void Constants_on_both_sides_are_no_layer()
    {
        var (layers, skipped) = Find(new GraphBuilder()
            .Input("x", "3,2").Weight("A", 3, 4).Weight("W", 4, 2)
            .Named("product", "MatMul", "A,W", "c").Node("Add", "x,c", "y").Output("y"));
        Assert.Empty(layers);
        Assert.Empty(skipped);
    }

    [Fact]
    public void A_weight_that_is_an_output_of_the_model_is_refused()
    {
        var (layers, skipped) = Find(new GraphBuilder()
            .Input("x", "N,4").Weight("W", 4, 2).Node("MatMul", "x,W", "y").Output("y").Output("W"));
        Assert.Empty(layers);
        Assert.Contains("also an output", Assert.Single(skipped).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_batch_of_matrices_is_refused_by_its_axes()
    {
        var (layers, skipped) = Find(new GraphBuilder()
            .Input("x", "2,3,4").Weight("W", 2, 4, 5).Node("MatMul", "x,W", "y").Output("y"));
        Assert.Empty(layers);
        Assert.Equal("its weight has 3 axes", Assert.Single(skipped).Reason);
    }

    [Fact]
    public void Other_operators_with_matrices_are_named_and_vectors_and_masks_are_not()
    {
        var (layers, skipped) = Find(new GraphBuilder()
            .Input("i", "N", DataType.Int64).Input("x", "N,4")
            .Weight("table", 4, 4).Weight("bias", 4).Weight("mask", 4, 4).Constant("from", [0L], 1).Constant("to", [4L], 1)
            .Named("polynomial", "Einsum", "x,table", "e", ("equation", "ij,jk->ik"))
            .Named("sum", "Add", "x,bias", "s")
            .Named("cut", "Slice", "mask,from,to", "m")
            .Node("Add", "s,e", "y").Output("y").Output("m"));
        Assert.Empty(layers);
        var only = Assert.Single(skipped);
        Assert.Equal(("polynomial", "Einsum", 16L), (only.Name, only.Op, only.Weights));
        Assert.Equal("Einsum is not an operator that this version quantizes", only.Reason);
    }

    [Fact]
    public void An_operator_of_another_domain_is_no_layer()
    {
        var (layers, skipped) = Find(new GraphBuilder()
            .Input("x", "N,4").Weight("W", 4, 2).Node("com.microsoft::MatMul", "x,W", "y").Output("y"));
        Assert.Empty(layers);
        Assert.Single(skipped);
    }

    [Fact]
    public void Nodes_out_of_order_are_refused_with_the_mend()
    {
        var e = Assert.Throws<QuantizationException>(() => Find(new GraphBuilder()
            .Input("x", "N,4").Weight("W", 4, 2).Named("late", "Relu", "h", "y").Node("MatMul", "x,W", "h").Output("y")));
        Assert.Equal("The node 'late' reads 'h', which nothing before it produces: sort the graph's nodes in topological order.", e.Message);
    }

    [Fact]
    public void Patterns_leave_the_layers_that_they_should()
    {
        var (layers, skipped) = Find(new GraphBuilder()
            .Input("x", "N,4").Weight("A", 4, 4).Weight("B", 4, 4).Weight("C", 4, 4)
            .Named("enc.0", "MatMul", "x,A", "h").Named("enc.1", "MatMul", "h,B", "i").Named("head", "MatMul", "i,C", "y").Output("y"));
        var (kept, left) = LayerSelection.Select(
            layers, skipped, QuantizationOptions.Default with { Include = ["^enc", "nothing"], Exclude = [@"\.1$"] });
        Assert.Equal(["enc.0"], kept.Select(l => l.Node.Name));
        Assert.Equal(
            [("enc.1", "the exclude pattern '\\.1$' matches its name"), ("head", "no include pattern matches its name")],
            left.Select(s => (s.Name, s.Reason)));
    }

    private static (IReadOnlyList<ILayer> Layers, IReadOnlyList<SkippedLayer> Skipped) Find(GraphBuilder b) =>
        LayerFinder.Find(new GraphIndex(b.Build().Proto));

    private static GraphProto Branch(Action<GraphBuilder> build)
    {
        var b = new GraphBuilder();
        build(b);
        return b.Graph;
    }

    private static GraphBuilder BranchWeights() => new GraphBuilder()
        .Input("x", "N,4").Input("c", "", DataType.Bool).Weight("W", 4, 4)
        .Named("outer", "MatMul", "x,W", "h")
        .Node(
            "If",
            "c",
            "y",
            ("then_branch", Branch(b => b.Weight("V", 4, 3).Node("MatMul", "h,V", "then_y").Output("then_y"))),
            ("else_branch", Branch(b => b.Weight("V2", 4, 3).Node("MatMul", "x,V2", "else_y").Output("else_y"))))
        .Output("y");
}
