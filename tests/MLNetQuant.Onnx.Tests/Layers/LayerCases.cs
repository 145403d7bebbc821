using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Layers;

/// <summary>One small model for each layer kind and variant; input x, output y, weight W, bias b where there is one.</summary>
internal static class LayerCases
{
    private static readonly Dictionary<string, Func<LayerCase>> Cases = new()
    {
        ["MatMul, vector"] = () => MatMul(6),
        ["MatMul, matrix"] = () => MatMul(5, 6),
        ["MatMul, three axes"] = () => MatMul(3, 4, 6),
        ["MatMul, four axes"] = () => MatMul(2, 3, 2, 6),
        ["FusedMatMul, transB, alpha"] = () => Of(
            b => b.Weight("W", 4, 6).Node("com.microsoft::FusedMatMul", "x,W", "y", ("transB", 1L), ("alpha", -0.5f)), 2, 3, 6) with
        { Alpha = -0.5 },
        ["MatMul, one output"] = () => Of(b => b.Weight("W", 6, 1).Node("MatMul", "x,W", "y"), 4, 6),
        ["Gemm, plain"] = () => Gemm(false, false, 1, 1),
        ["Gemm, transA"] = () => Gemm(true, false, 1, 1),
        ["Gemm, transB"] = () => Gemm(false, true, 1, 1),
        ["Gemm, both transposed"] = () => Gemm(true, true, 1, 1),
        ["Gemm, alpha and beta"] = () => Gemm(false, true, 0.5f, -2),
        ["Gemm, transA, alpha and beta"] = () => Gemm(true, false, -1.5f, 0.25f),
        ["Gemm, without C"] = () => Of(b => b.Weight("W", 6, 3).Node("Gemm", "x,W", "y"), 4, 6),
        ["Conv 1-D"] = () => Conv("3,4,3", "2,4,9"),
        ["Conv 1-D, stride, pads"] = () => Conv("3,4,3", "2,4,9", ("strides", new long[] { 2 }), ("pads", new long[] { 2, 1 })),
        ["Conv 1-D, grouped, dilated"] = () => Conv("6,2,3", "2,4,12", ("dilations", new long[] { 3 }), ("group", 2L)),
        ["Conv 2-D"] = () => Conv("5,3,3,2", "2,3,7,6"),
        ["Conv 2-D, pointwise"] = () => Conv("5,3,1,1", "2,3,4,5"),
        ["Conv 2-D, pointwise with stride"] = () => Conv("5,3,1,1", "2,3,5,4", ("strides", new long[] { 2, 3 })),
        ["Conv 2-D, one output position"] = () => Conv("5,3,4,5", "2,3,4,5"),
        ["Conv 2-D, strides, asymmetric pads, dilations"] = () => Conv(
            "4,3,3,2", "2,3,9,7", ("strides", new long[] { 2, 1 }), ("pads", new long[] { 1, 0, 2, 3 }), ("dilations", new long[] { 2, 3 })),
        ["Conv 2-D, pads wider than the filter"] = () => Conv("2,1,2,2", "1,1,3,3", ("pads", new long[] { 3, 3, 3, 3 })),
        ["Conv 2-D, SAME_UPPER"] = () => Conv("4,3,3,2", "2,3,6,5", ("auto_pad", "SAME_UPPER")),
        ["Conv 2-D, SAME_LOWER"] = () => Conv("4,3,3,2", "2,3,6,5", ("auto_pad", "SAME_LOWER")),
        ["Conv 2-D, SAME_UPPER, stride"] = () => Conv("4,3,4,3", "2,3,6,7", ("auto_pad", "SAME_UPPER"), ("strides", new long[] { 2, 3 })),
        ["Conv 2-D, SAME_LOWER, stride"] = () => Conv("4,3,4,3", "2,3,6,7", ("auto_pad", "SAME_LOWER"), ("strides", new long[] { 2, 3 })),
        ["Conv 2-D, SAME_UPPER, stride beyond the filter"] = () => Conv("4,3,1,1", "2,3,9,9", ("auto_pad", "SAME_UPPER"), ("strides", new long[] { 3, 4 })),
        ["Conv 2-D, SAME_LOWER, stride beyond the filter"] = () => Conv("4,3,1,1", "2,3,9,9", ("auto_pad", "SAME_LOWER"), ("strides", new long[] { 3, 4 })),
        ["Conv 2-D, VALID"] = () => Conv("4,3,3,2", "2,3,6,5", ("auto_pad", "VALID"), ("strides", new long[] { 2, 2 })),
        ["Conv 2-D, two groups"] = () => Conv("6,2,3,3", "2,4,5,5", ("group", 2L), ("pads", new long[] { 1, 1, 1, 1 })),
        ["Conv 2-D, depthwise"] = () => Conv("4,1,3,3", "2,4,6,5", ("group", 4L), ("pads", new long[] { 1, 1, 1, 1 })),
        ["Conv 2-D, depthwise, multiplier 3"] = () => Conv("12,1,3,3", "2,4,6,5", ("group", 4L), ("strides", new long[] { 2, 2 })),
        ["Conv 3-D"] = () => Conv("3,2,2,3,2", "2,2,4,5,3"),
        ["Conv 3-D, strides, pads, groups"] = () => Conv(
            "4,1,2,3,2", "1,2,5,4,6", ("strides", new long[] { 2, 1, 3 }), ("pads", new long[] { 1, 0, 2, 0, 1, 1 }), ("group", 2L)),
        ["Conv 2-D, without bias"] = () => Of(b => b.Weight("W", 4, 3, 3, 3).Node("Conv", "x,W", "y"), 2, 3, 5, 5),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    public static LayerCase Create(string name) => Cases[name]();

    private static LayerCase MatMul(params long[] shape) => Of(b => b.Weight("W", 6, 4).Node("MatMul", "x,W", "y"), shape);

    private static LayerCase Gemm(bool transA, bool transB, float alpha, float beta)
    {
        var b = new GraphBuilder();
        b = transB ? b.Weight("W", 3, 6) : b.Weight("W", 6, 3);
        b.Weight("b", 3).Node(
            "Gemm", "x,W,b", "y", ("transA", transA ? 1L : 0L), ("transB", transB ? 1L : 0L), ("alpha", alpha), ("beta", beta));
        return Close(b, transA ? [6, 5] : [5, 6]) with { Alpha = alpha, Beta = beta };
    }

    private static LayerCase Conv(string weight, string input, params (string Name, object Value)[] attributes)
    {
        var dims = Dims(weight);
        return Of(b => b.Weight("W", dims).Weight("b", dims[0]).Node("Conv", "x,W,b", "y", attributes), Dims(input));
    }

    private static LayerCase Of(Action<GraphBuilder> build, params long[] shape)
    {
        var b = new GraphBuilder();
        build(b);
        return Close(b, shape);
    }

    private static LayerCase Close(GraphBuilder b, long[] shape) =>
        new(b.Input("x", string.Join(',', shape)).Output("y").Build(), b.Rows(shape));

    private static long[] Dims(string text) => [.. text.Split(',').Select(long.Parse)];
}

/// <summary>A model of one layer and an input for it.</summary>
internal sealed record LayerCase(OnnxModel Model, OnnxTensor Input, double Alpha = 1, double Beta = 1);
