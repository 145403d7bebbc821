using MLNetQuant.Onnx.Proto;
using MLNetQuant.Onnx.Tests.Models;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.Tests.Variants;

/// <summary>Weights of 16 bits: in models that compute with float16, and behind a Cast in models that do not.</summary>
internal static class HalfVariants
{
    private const long Float = (long)DataType.Float;
    private const long Half = (long)DataType.Float16;

    public static Dictionary<string, Variant> All => new()
    {
        ["MatMul, float16"] = Of("N,30", WeightForm.Matrix(30, 20), b => b.Node("MatMul", "x,W", "y")),
        ["MatMul, float16, weight on the left"] = Of("N,30,7", WeightForm.Rows(12, 30), b => b.Node("MatMul", "W,x", "y")),
        ["Gemm, float16"] = Of("N,30", WeightForm.Rows(20, 30), b => b.Half("b", DataType.Float16, 20).Node("Gemm", "x,W,b", "y", ("transB", 1L))),
        ["Conv, float16, groups"] = Of(
            "N,4,6,6", WeightForm.Filters("6,2,3,3", 2), b => b.Half("b", DataType.Float16, 6).Node("Conv", "x,W,b", "y", ("group", 2L))),
        ["ConvTranspose, float16"] = Of("N,6,4", WeightForm.Taps("6,4,3"), b => b.Node("ConvTranspose", "x,W", "y")),
        ["Gather, float16"] = Of("N,3", WeightForm.Rows(50, 20), b => b.Node("Gather", "W,x", "y")) with { Type = DataType.Int64, Table = 50 },
        ["Gather, bfloat16, then a Cast"] = new(
            "N,3",
            [WeightForm.Rows(50, 20) with { Type = DataType.Bfloat16 }],
            () => new GraphBuilder().Half("W", DataType.Bfloat16, 50, 20).Node("Gather", "W,x", "g").Node("Cast", "g", "y", ("to", Float)))
        { Type = DataType.Int64, Table = 50 },
        ["LSTM, float16, both directions"] = Recurrent("LSTM", 4, "bidirectional"),
        ["GRU, float16, reverse"] = Recurrent("GRU", 3, "reverse"),
        ["MatMul, float16 in a Constant"] = new(
            "N,30",
            [WeightForm.Matrix(30, 20) with { Type = DataType.Float16 }],
            () => new GraphBuilder().Node("Constant", "", "W", ("value", Tensor(30, 20))).Node("MatMul", "x,W", "y"))
        { Type = DataType.Float16, OutputType = DataType.Float16 },
        ["MatMul, two nodes share a float16 weight"] = Of(
            "N,30", WeightForm.Matrix(30, 30), b => b.Node("MatMul", "x,W", "h").Node("Tanh", "h", "t").Node("MatMul", "t,W", "y")),
        ["Two layers, float16 between inputs and outputs of float"] = new(
            "N,30",
            [WeightForm.Matrix(30, 40) with { Type = DataType.Float16 }, WeightForm.Rows(20, 40, "V") with { Type = DataType.Float16 }],
            () => new GraphBuilder().Half("W", DataType.Float16, 30, 40).Half("V", DataType.Float16, 20, 40).Half("b", DataType.Float16, 20)
                .Node("Cast", "x", "h", ("to", Half)).Node("MatMul", "h,W", "m").Node("Relu", "m", "r")
                .Node("Gemm", "r,V,b", "g", ("transB", 1L)).Node("Cast", "g", "y", ("to", Float))),
        ["If, float16 weight in the branch"] = new(
            "N,30",
            [WeightForm.Matrix(30, 30, "V") with { Type = DataType.Float16, File = "V_2" }],
            () => new GraphBuilder().Node("ReduceMax", "x", "most", ("keepdims", 0L)).Node("Less", "most,most", "c")
                .Node(
                    "If",
                    "c",
                    "y",
                    ("then_branch", new GraphBuilder().Node("Identity", "x", "then_y").Output("then_y", DataType.Float16).Graph),
                    ("else_branch", new GraphBuilder().Half("V", DataType.Float16, 30, 30).Node("MatMul", "x,V", "else_y").Output("else_y", DataType.Float16).Graph)))
        { Type = DataType.Float16, OutputType = DataType.Float16 },
        ["MatMul, float16 weight behind a Cast to float"] = Cast(DataType.Float16, "N,30", WeightForm.Matrix(30, 20), b => b.Node("MatMul", "x,W", "y")),
        ["MatMul, bfloat16 weight behind a Cast to float"] = Cast(DataType.Bfloat16, "N,30", WeightForm.Matrix(30, 20), b => b.Node("MatMul", "x,W", "y")),
        ["Conv, float16 filters behind a Cast to float"] = Cast(DataType.Float16, "N,4,6", WeightForm.Filters("6,4,3"), b => b.Node("Conv", "x,W", "y")),
    };

    private static Variant Of(string input, WeightForm weight, Func<GraphBuilder, GraphBuilder> build) =>
        new(input, [weight with { Type = DataType.Float16 }], () => build(new GraphBuilder().Half("W", DataType.Float16, weight.Dims)))
        { Type = DataType.Float16, OutputType = DataType.Float16 };

    private static Variant Cast(DataType type, string input, WeightForm weight, Func<GraphBuilder, GraphBuilder> build) =>
        new(input, [weight], () => build(new GraphBuilder().Half("V", type, weight.Dims).Node("Cast", "V", "W", ("to", Float)))) { IsPlain = true };

    private static Variant Recurrent(string op, int gates, string direction)
    {
        var directions = direction == "bidirectional" ? 2 : 1;
        WeightForm[] weights = [WeightForm.Gates("W", directions, gates * 7, 6), WeightForm.Gates("R", directions, gates * 7, 7)];
        return new(
            "5,N,6",
            [.. weights.Select(w => w with { Type = DataType.Float16 })],
            () => new GraphBuilder(opset: 14).Half("W", DataType.Float16, weights[0].Dims).Half("R", DataType.Float16, weights[1].Dims)
                .Node(op, "x,W,R", "y", ("hidden_size", 7L), ("direction", direction)))
        { Type = DataType.Float16, OutputType = DataType.Float16 };
    }

    private static TensorProto Tensor(params long[] dims) =>
        GraphBuilder.HalfTensor("", DataType.Float16, new GraphBuilder(seed: 3).Floats(dims.Aggregate(1L, (a, b) => a * b)), dims);
}
