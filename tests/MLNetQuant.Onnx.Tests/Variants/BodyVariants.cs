using MLNetQuant.Onnx.Tests.Models;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.Tests.Variants;

/// <summary>Weights in the bodies of Loop and Scan, which run several times on what they computed before.</summary>
internal static class BodyVariants
{
    public static Dictionary<string, Variant> All => new()
    {
        ["Loop, weight in the body"] = Loop("N,30", WeightForm.Matrix(30, 30, "V") with { File = "V_2" }, b => b.Weight("V", 30, 30).Node("MatMul", "state,V", "m")),
        ["Loop, weight outside"] = new(
            "N,30",
            [WeightForm.Matrix(30, 30)],
            () => new GraphBuilder().Weight("W", 30, 30).Constant("times", [3L]).Node("Loop", "times,,x", "y", ("body", Body("N,30", b => b.Node("MatMul", "state,W", "m")).Graph))),
        ["Loop, convolution with groups in the body"] = Loop(
            "N,6,5", WeightForm.Filters("6,2,3", 3) with { Name = "V", File = "V_2" }, b => b.Weight("V", 6, 2, 3).Node("Conv", "state,V", "m", ("group", 3L), ("pads", new long[] { 1, 1 }))),
        ["Loop, the layer before it has the same weight"] = new(
            "N,30",
            [WeightForm.Matrix(30, 30)],
            () => new GraphBuilder().Weight("W", 30, 30).Constant("times", [2L]).Node("MatMul", "x,W", "h")
                .Node("Loop", "times,,h", "y", ("body", Body("N,30", b => b.Node("MatMul", "state,W", "m")).Graph))),
        ["Loop, a layer behind it"] = new(
            "N,30",
            [WeightForm.Matrix(30, 30, "V") with { File = "V_2" }, WeightForm.Matrix(30, 20)],
            () => new GraphBuilder().Weight("W", 30, 20).Constant("times", [2L])
                .Node("Loop", "times,,x", "h", ("body", Body("N,30", b => b.Weight("V", 30, 30).Node("MatMul", "state,V", "m")).Graph)).Node("MatMul", "h,W", "y")),
        ["Scan, weight in the body"] = new(
            "N,30",
            [WeightForm.Rows(30, 30, "V") with { File = "V_2" }],
            () => new GraphBuilder().Weight("start", 1, 30).Node(
                "Scan",
                "start,x",
                "last,y",
                ("num_scan_inputs", 1L),
                ("body", new GraphBuilder(seed: 3).Input("state", "1,30").Input("row", "30").Weight("V", 30, 30).Weight("c", 30)
                    .Node("Gemm", "state,V,c", "m", ("transB", 1L)).Node("Add", "m,row", "s").Node("Tanh", "s", "next").Node("Identity", "next", "out").Output("next").Output("out").Graph))),
    };

    private static Variant Loop(string shape, WeightForm weight, Func<GraphBuilder, GraphBuilder> layer) => new(
        shape, [weight], () => new GraphBuilder().Constant("times", [3L]).Node("Loop", "times,,x", "y", ("body", Body(shape, layer).Graph)));

    /// <summary>state ← tanh(layer(state)).</summary>
    private static GraphBuilder Body(string shape, Func<GraphBuilder, GraphBuilder> layer) =>
        layer(new GraphBuilder(seed: 3).Input("i", "", DataType.Int64).Input("go", "", DataType.Bool).Input("state", shape))
            .Node("Tanh", "m", "next").Node("Identity", "go", "again").Output("again", DataType.Bool).Output("next");
}
