using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Variants;

/// <summary>MatMul and Gemm, and their fused forms.</summary>
internal static class ProductVariants
{
    public static Dictionary<string, Variant> All => new()
    {
        ["MatMul, vector"] = MatMul("30"),
        ["MatMul, matrix"] = MatMul("N,30"),
        ["MatMul, three axes"] = MatMul("N,4,30"),
        ["MatMul, four axes"] = MatMul("N,3,2,30"),
        ["MatMul, one output"] = Of("N,30", WeightForm.Matrix(30, 1), b => b.Node("MatMul", "x,W", "y")) with { IsPlain = true },
        ["MatMul, weight on the left"] = Of("30,7", WeightForm.Rows(12, 30), b => b.Node("MatMul", "W,x", "y")),
        ["MatMul, weight on the left of a batch"] = Of("N,30,7", WeightForm.Rows(12, 30), b => b.Node("MatMul", "W,x", "y")),
        ["MatMul, weight on the left of a vector"] = Of("30", WeightForm.Rows(12, 30), b => b.Node("MatMul", "W,x", "y")),
        ["FusedMatMul, alpha"] = Fused("x,W", WeightForm.Matrix(30, 20), ("alpha", 0.25f)) with { IsPlain = true, Alpha = 0.25 },
        ["FusedMatMul, transB, alpha"] = Fused("x,W", WeightForm.Rows(20, 30), ("transB", 1L), ("alpha", -0.5f)) with { IsPlain = true, Alpha = -0.5 },
        ["Gemm, plain"] = Gemm(false, false, 1, 1),
        ["Gemm, transA"] = Gemm(true, false, 1, 1),
        ["Gemm, transB"] = Gemm(false, true, 1, 1),
        ["Gemm, both transposed"] = Gemm(true, true, 1, 1),
        ["Gemm, alpha and beta"] = Gemm(false, true, 0.5f, -2),
        ["Gemm, transA, alpha and beta"] = Gemm(true, false, -1.5f, 0.25f),
        ["Gemm, without C"] = Of("N,30", WeightForm.Matrix(30, 9), b => b.Node("Gemm", "x,W", "y")) with { IsPlain = true },
        ["Gemm, a row for C"] = Of("N,30", WeightForm.Rows(9, 30), b => b.Weight("b", 1, 9).Node("Gemm", "x,W,b", "y", ("transB", 1L))) with { IsPlain = true },
        ["FusedGemm, transB, Relu"] = Of(
            "N,30",
            WeightForm.Rows(20, 30),
            b => b.Weight("b", 20).Node("com.microsoft::FusedGemm", "x,W,b", "y", ("transB", 1L), ("alpha", 0.5f), ("beta", 2f), ("activation", "Relu"))),
    };

    private static Variant MatMul(string input) =>
        Of(input, WeightForm.Matrix(30, 20), b => b.Node("MatMul", "x,W", "y")) with { IsPlain = true };

    private static Variant Fused(string inputs, WeightForm weight, params (string, object)[] attributes) =>
        Of("N,30", weight, b => b.Node("com.microsoft::FusedMatMul", inputs, "y", attributes));

    /// <summary>A Gemm with transA reads what a Transpose puts out, so that rows stay rows.</summary>
    private static Variant Gemm(bool transA, bool transB, float alpha, float beta) => Of(
        "N,30",
        transB ? WeightForm.Rows(9, 30) : WeightForm.Matrix(30, 9),
        b => (transA ? b.Node("Transpose", "x", "t") : b).Weight("b", 9).Node(
            "Gemm", transA ? "t,W,b" : "x,W,b", "y", ("transA", transA ? 1L : 0L), ("transB", transB ? 1L : 0L), ("alpha", alpha), ("beta", beta)))
        with
    { IsPlain = true, Alpha = alpha, Beta = beta };

    private static Variant Of(string input, WeightForm weight, Func<GraphBuilder, GraphBuilder> build) =>
        new(input, [weight], () => build(new GraphBuilder().Weight(weight.Name, weight.Dims)));
}
