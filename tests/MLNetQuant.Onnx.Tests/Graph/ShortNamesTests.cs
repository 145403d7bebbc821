using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Graph;

public class ShortNamesTests
{
    [Fact]
    public void The_file_computes_the_same_is_smaller_and_keeps_what_callers_and_reports_name()
    {
        var b = Branching();
        var (x, model) = (b.Rows(40, 6), b.Build());
        var options = new QuantizationOptions { Algorithm = new Algorithms.Gpfq() };
        var kept = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options).Model;
        var quantized = ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", x)), options with { ShortNames = true });
        var proto = quantized.Model.Proto;
        Assert.Equal(Runtime.Run(kept, "the_output", ("x", x)), Runtime.Run(quantized.Model, "the_output", ("x", x)));
        Assert.InRange(quantized.Model.SizeInBytes, 1, kept.SizeInBytes - 200);
        Assert.Equal(["x"], proto.Graph.Input.Select(i => i.Name));
        Assert.Equal(["the_output"], proto.Graph.Output.Select(o => o.Name));
        Assert.Equal(quantized.Report.Layers.Select(l => l.Name).Order(), proto.Graph.Node.Select(n => n.Name).Where(n => n.Length > 0).Order());
        Assert.All(new GraphNames(proto.Graph).All.Except(["x", "the_output"]), n => Assert.InRange(n.Length, 0, 2));
        Assert.Equal(quantized.Model.SizeInBytes, ModelQuantizer.Estimate(model, CalibrationRows.Of(("x", x)), options with { ShortNames = true }).QuantizedBytes);
    }

    [Fact]
    public void A_model_whose_input_has_a_short_name_keeps_it_apart()
    {
        var b = new GraphBuilder().Input("a", "N,4").Weight("W", 4, 4).Named("layer", "MatMul", "a,W", "hidden").Node("Relu", "hidden", "b").Output("b");
        var x = b.Rows(30, 4);
        var options = new QuantizationOptions();
        var kept = ModelQuantizer.Quantize(b.Build(), CalibrationRows.Of(("a", x)), options).Model;
        var named = ModelQuantizer.Quantize(b.Build(), CalibrationRows.Of(("a", x)), options with { ShortNames = true }).Model;
        Assert.Equal(Runtime.Run(kept, "b", ("a", x)), Runtime.Run(named, "b", ("a", x)));
    }

    [Fact]
    public void Equal_Constant_nodes_become_one_in_each_graph()
    {
        var graph = Branching().Graph;
        EqualConstantNodes.Merge(graph);
        Assert.Equal(2, graph.Node.Count(n => n.OpType == "Constant"));
        var branches = graph.Node.Single(n => n.OpType == "If").Subgraphs().ToArray();
        Assert.All(branches, g => Assert.Single(g.Node, n => n.OpType == "Constant"));
    }

    /// <summary>Two equal constants and another one outside, and in each branch two equal ones, of which none is its output.</summary>
    private static GraphBuilder Branching() =>
        new GraphBuilder().Input("x", "N,6").Weight("W", 6, 8)
            .Named("first_layer", "MatMul", "x,W", "a_long_name_of_a_value")
            .Node("Constant", "", "half", ("value_float", 0.5f)).Node("Constant", "", "half_again", ("value_float", 0.5f)).Node("Constant", "", "zero", ("value_float", 0f))
            .Node("Mul", "a_long_name_of_a_value,half", "halved_once").Node("Mul", "halved_once,half_again", "halved_twice")
            .Node("ReduceSum", "halved_twice", "the_sum", ("keepdims", 0L)).Node("Greater", "the_sum,zero", "is_positive")
            .Node("If", "is_positive", "the_output", ("then_branch", Branch("Add").Graph), ("else_branch", Branch("Sub").Graph))
            .Output("the_output");

    private static GraphBuilder Branch(string op) => new GraphBuilder()
        .Node("Constant", "", $"{op}_one", ("value_float", 1f)).Node("Constant", "", $"{op}_other", ("value_float", 1f))
        .Node(op, $"halved_twice,{op}_one", $"{op}_result").Node(op, $"{op}_result,{op}_other", $"{op}_of_both").Output($"{op}_of_both");
}
