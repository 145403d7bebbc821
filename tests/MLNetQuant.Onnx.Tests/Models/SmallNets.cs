namespace MLNetQuant.Onnx.Tests.Models;

/// <summary>Small networks that several tests share.</summary>
internal static class SmallNets
{
    /// <summary>x [N,4] → MatMul W → y [N,3].</summary>
    public static GraphBuilder OneLayer() =>
        new GraphBuilder().Input("x", "N,4").Weight("W", 4, 3).Named("layer", "MatMul", "x,W", "y").Output("y");

    /// <summary>x [N,3,8,8] → Conv → Relu → grouped Conv → Relu → Gemm → Relu → MatMul → y [N,5].</summary>
    public static GraphBuilder FourLayers() => new GraphBuilder()
        .Input("x", "N,3,8,8")
        .Weight("W1", 6, 3, 3, 3).Weight("b1", 6).Weight("W2", 6, 3, 3, 3).Weight("W3", 40, 96).Weight("b3", 40).Weight("W4", 40, 5)
        .Named("conv", "Conv", "x,W1,b1", "c1").Node("Relu", "c1", "r1")
        .Named("grouped", "Conv", "r1,W2", "c2", ("group", 2L)).Node("Relu", "c2", "r2")
        .Node("Flatten", "r2", "flat")
        .Named("gemm", "Gemm", "flat,W3,b3", "g", ("transB", 1L)).Node("Relu", "g", "r3")
        .Named("head", "MatMul", "r3,W4", "y").Output("y");
}
