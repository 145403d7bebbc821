using MLNetQuant.Onnx.Proto;
using MLNetQuant.Onnx.Tests.Models;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.Tests.Graph;

/// <summary>Weights inside branches: hoisted, calibrated on the branch that the rows take, and written where the branch reads them.</summary>
public class BranchFlatteningTests
{
    [Theory]
    [InlineData(true, "initializer")]
    [InlineData(false, "initializer")]
    [InlineData(true, "constant")]
    [InlineData(true, "computed")]
    [InlineData(true, "outer")]
    public void A_layer_in_the_branch_that_runs_is_quantized_and_the_other_stays_float(bool condition, string source)
    {
        var model = Model(source);
        var b = new GraphBuilder(seed: 9);
        var data = CalibrationRows.Of(("x", b.Rows(40, 30)), ("c", OnnxTensor.Create([condition])));
        var result = ModelQuantizer.Quantize(model, data, new QuantizationOptions { Bits = 4, Format = WeightFormat.Folded });
        Assert.Equal(2, result.Report.Layers.Count);
        var left = Assert.Single(result.Report.Skipped);
        Assert.Equal(("its branch does not run on the calibration rows", 30 * 20L), (left.Reason, left.Weights));
        Assert.Contains(result.Model.Proto.Graph.Node, n => n.OpType == "If");

        // In the branch that ran the errors are those of 4 bits; in the other only the layer before it is quantized.
        var plain = ModelQuantizer.Quantize(model, data, new QuantizationOptions { Bits = 4, Format = WeightFormat.Float });
        var test = b.Rows(8, 30);
        foreach (var taken in new[] { true, false })
        {
            var inputs = new Dictionary<string, OnnxTensor> { ["x"] = test, ["c"] = OnnxTensor.Create([taken]) };
            Assert.Equal(Values(plain.Model.Proto, inputs), Values(result.Model.Proto, inputs));
        }

        Assert.InRange(ModelComparer.Compare(model, result.Model, data).Outputs[0].RelativeError, 1e-4, 0.4);
    }

    [Fact]
    public void Equal_weights_of_both_branches_are_stored_once_and_serve_both()
    {
        var weight = new GraphBuilder(seed: 2).Floats(30 * 20);
        var model = If(
            b => b.Constant("V", weight, 30, 20).Node("MatMul", "h,V", "then_y").Output("then_y"),
            b => b.Constant("U", weight, 30, 20).Node("MatMul", "h,U", "m").Node("Neg", "m", "else_y").Output("else_y"));
        var b = new GraphBuilder(seed: 9);
        var data = CalibrationRows.Of(("x", b.Rows(40, 30)), ("c", OnnxTensor.Create([true])));
        var result = ModelQuantizer.Quantize(model, data, new QuantizationOptions { Bits = 8 });
        Assert.Empty(result.Report.Skipped);
        Assert.Equal(2, result.Report.Layers.Count);
        Assert.InRange((double)result.Report.QuantizedBytes / result.Report.FloatBytes, 0.1, 0.35);
        var inputs = new Dictionary<string, OnnxTensor> { ["x"] = b.Rows(8, 30), ["c"] = OnnxTensor.Create([true]) };
        var then = Values(result.Model.Proto, inputs);
        inputs["c"] = OnnxTensor.Create([false]);
        Assert.Equal(then, Values(result.Model.Proto, inputs).Select(v => -v));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Names_inside_a_branch_that_does_not_run_stay_free_for_it(bool condition)
    {
        var model = If(
            b => b.Node("Identity", "h", "W_codes").Node("Relu", "W_codes", "t").Output("t"),
            b => b.Node("Identity", "h", "W_scale").Node("Relu", "W_scale", "e").Output("e"));
        var data = CalibrationRows.Of(("x", new GraphBuilder(seed: 9).Rows(40, 30)), ("c", OnnxTensor.Create([condition])));
        var result = ModelQuantizer.Quantize(model, data, new QuantizationOptions { Format = WeightFormat.Folded });
        Assert.Single(result.Report.Layers);
        Assert.DoesNotContain(result.Model.Proto.Graph.Initializer, i => i.Name is "W_codes" or "W_scale");
        Assert.InRange(ModelComparer.Compare(model, result.Model, data).Outputs[0].RelativeError, 1e-5, 0.02);
    }

    [Fact]
    public void Branches_inside_branches_are_followed_by_what_the_rows_compute()
    {
        var inner = new GraphBuilder().Node(
            "If", "wide", "inner_y",
            ("then_branch", Graph(b => Weighted(b, "initializer", "V").Node("MatMul", "h,V", "v").Output("v"))),
            ("else_branch", Graph(b => Weighted(b, "initializer", "U").Node("MatMul", "h,U", "u").Output("u")))).Output("inner_y");
        var model = new GraphBuilder().Input("x", "N,30").Input("c", "", DataType.Bool).Weight("W", 30, 30).Constant("thirty", [30L], 1)
            .Node("MatMul", "x,W", "h").Node("Shape", "h", "s").Constant("one", [1L], 1).Node("Gather", "s,one", "width").Node("Equal", "width,thirty", "wide")
            .Node("If", "c", "y", ("then_branch", inner.Graph), ("else_branch", Graph(b => b.Node("Identity", "h", "e").Output("e")))).Output("y").Build();
        var rows = new GraphBuilder(seed: 9);
        var data = CalibrationRows.Of(("x", rows.Rows(40, 30)), ("c", OnnxTensor.Create([true])));
        var result = ModelQuantizer.Quantize(model, data, new QuantizationOptions { Bits = 8 });
        Assert.Equal(2, result.Report.Layers.Count);
        Assert.Equal("its branch does not run on the calibration rows", Assert.Single(result.Report.Skipped).Reason);
        Assert.InRange(ModelComparer.Compare(model, result.Model, data).Outputs[0].RelativeError, 1e-5, 0.02);
    }

    [Fact]
    public void A_condition_that_differs_between_batches_leaves_both_branches_float()
    {
        var b = new GraphBuilder().Input("x", "N,30").Weight("W", 30, 30).Constant("zero", [0f]).Node("MatMul", "x,W", "h")
            .Node("ReduceMin", "x", "least", ("keepdims", 0L)).Node("Less", "least,zero", "c");
        var model = b.Node(
            "If", "c", "y",
            ("then_branch", Graph(g => Weighted(g, "initializer", "V").Node("MatMul", "h,V", "v").Output("v"))),
            ("else_branch", Graph(g => Weighted(g, "initializer", "U").Node("MatMul", "h,U", "u").Output("u")))).Output("y").Build();
        var rows = b.Floats(40 * 30);
        for (var i = 0; i < 20 * 30; i++)
            rows[i] = Math.Abs(rows[i]);
        var data = CalibrationRows.Of(("x", OnnxTensor.Create(rows, 40, 30)));
        var report = ModelQuantizer.Quantize(model, data, new QuantizationOptions { BatchSize = 20 }).Report;
        Assert.Single(report.Layers);
        Assert.Equal(2, report.Skipped.Count);
        Assert.All(report.Skipped, s => Assert.Equal("which of two branches runs differs between the calibration rows", s.Reason));
    }

    [Fact]
    public void Weights_in_a_loop_body_are_rounded_for_themselves_on_four_bits_at_least()
    {
        var body = new GraphBuilder().Input("i", "", DataType.Int64).Input("go", "", DataType.Bool).Input("state", "N,30")
            .Weight("V", 30, 30).Node("MatMul", "state,V", "next").Node("Identity", "go", "again");
        body.Output("again", DataType.Bool).Output("next");
        var model = new GraphBuilder().Input("x", "N,30").Weight("W", 30, 30).Constant("times", [3L]).Node("MatMul", "x,W", "h")
            .Node("Loop", "times,,h", "y", ("body", body.Graph)).Output("y").Build();
        var data = CalibrationRows.Of(("x", new GraphBuilder(seed: 9).Rows(40, 30)));
        var result = ModelQuantizer.Quantize(model, data, new QuantizationOptions { Bits = 2 });
        Assert.Empty(result.Report.Skipped);
        Assert.Equal([("h", 2, 40), ("next", 4, 0)], result.Report.Layers.Select(l => (l.Name, l.Bits, l.CalibrationRows)));
        Assert.Equal("msq", result.Report.Layers[1].Algorithm);
        Assert.InRange(ModelComparer.Compare(model, result.Model, data).Outputs[0].RelativeError, 0.01, 0.9);

        // Patterns leave it out by its name, like any other layer.
        Assert.Equal(["h"], ModelQuantizer.Quantize(model, data, new QuantizationOptions { Exclude = ["next"] }).Report.Layers.Select(l => l.Name));
    }

    [Fact]
    public void A_table_in_a_loop_body_is_named_as_left_alone()
    {
        var body = new GraphBuilder().Input("i", "", DataType.Int64).Input("go", "", DataType.Bool).Input("state", "N,30")
            .Weight("E", 30, 30).Node("ArgMax", "state", "at", ("axis", 1L), ("keepdims", 0L)).Node("Gather", "E,at", "next").Node("Identity", "go", "again");
        body.Output("again", DataType.Bool).Output("next");
        var model = new GraphBuilder().Input("x", "N,30").Weight("W", 30, 30).Constant("times", [3L]).Node("MatMul", "x,W", "h")
            .Node("Loop", "times,,h", "y", ("body", body.Graph)).Output("y").Build();
        var skipped = Assert.Single(ModelInspector.Inspect(model).Skipped);
        Assert.Equal(("next", "Gather", 900L), (skipped.Name, skipped.Op, skipped.Weights));
        Assert.Equal("it looks up a table in a loop body, of which nothing tells whether it holds positions", skipped.Reason);
    }

    [Theory]
    [InlineData("Add", "m,W")]
    [InlineData("Gather", "W,i")]
    public void A_weight_that_a_loop_body_reads_otherwise_as_well_stays_float(string op, string inputs)
    {
        var body = new GraphBuilder().Input("i", "", DataType.Int64).Input("go", "", DataType.Bool).Input("state", "30,30")
            .Node("MatMul", "state,W", "m").Node(op, inputs, "o").Node("Add", "m,o", "s").Node("Tanh", "s", "next").Node("Identity", "go", "again");
        body.Output("again", DataType.Bool).Output("next");
        var inspected = ModelInspector.Inspect(new GraphBuilder().Input("x", "30,30").Weight("W", 30, 30).Constant("times", [3L])
            .Node("Loop", "times,,x", "y", ("body", body.Graph)).Output("y").Build());
        Assert.Empty(inspected.Layers);
        Assert.Equal(900, inspected.Skipped.Sum(s => s.Weights));
        Assert.Equal($"its weight 'W' is read by '{op}' as well", inspected.Skipped.Single(s => s.Name == "m").Reason);
    }

    private static OnnxModel Model(string source) => If(
        b => Weighted(b, source, "V").Node("MatMul", "h,V", "then_y").Output("then_y"),
        b => Weighted(b, source, "U").Node("MatMul", "h,U", "else_y").Output("else_y"),
        outer => source == "outer" ? outer.Weight("V", 30, 20).Weight("U", 30, 20) : outer);

    private static GraphBuilder Weighted(GraphBuilder b, string source, string name) => source switch
    {
        "initializer" => b.Constant(name, new GraphBuilder(seed: name[0]).Floats(600), 30, 20),
        "constant" => b.Node("Constant", "", name, ("value", GraphBuilder.Tensor("", new GraphBuilder(seed: name[0]).Floats(600), 30, 20))),
        "computed" => b.Constant($"{name}_raw", new GraphBuilder(seed: name[0]).Floats(600), 20, 30).Node("Transpose", $"{name}_raw", name),
        _ => b,
    };

    private static OnnxModel If(Action<GraphBuilder> then, Action<GraphBuilder> otherwise, Func<GraphBuilder, GraphBuilder>? outer = null)
    {
        var b = new GraphBuilder().Input("x", "N,30").Input("c", "", DataType.Bool).Weight("W", 30, 30);
        return (outer?.Invoke(b) ?? b).Node("MatMul", "x,W", "h")
            .Node("If", "c", "y", ("then_branch", Graph(then)), ("else_branch", Graph(otherwise))).Output("y").Build();
    }

    private static GraphProto Graph(Action<GraphBuilder> build)
    {
        var b = new GraphBuilder(seed: 4);
        build(b);
        return b.Graph;
    }

    private static float[] Values(ModelProto model, Dictionary<string, OnnxTensor> inputs) => Runtime.Run(model, inputs)["y"].Values<float>().ToArray();
}
