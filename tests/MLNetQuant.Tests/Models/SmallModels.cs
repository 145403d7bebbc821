using DataType = MLNetQuant.Onnx.Proto.TensorProto.Types.DataType;

namespace MLNetQuant.Tests.Models;

/// <summary>Models of a few weights for the shapes and types that the sample model lacks.</summary>
internal static class SmallModels
{
    /// <summary>x [shape] of a type → y = W·x, of 5 values.</summary>
    public static string Linear(string path, int width, DataType type = DataType.Float, params long[] shape)
    {
        long[] x = shape.Length == 0 ? [-1, width] : shape;
        var model = new ModelFile().Input("x", type, x).Weights("W", width, 5);
        var input = "x";
        if (type != DataType.Float)
            model.Node("Cast", input = "cast", "x");
        return model.Node("MatMul", "y", input, "W").Output("y", [.. x[..^1], 5]).Save(path);
    }

    /// <summary>a [N,4] and b [N,3] → sum = A·a + B·b and difference = A·a − B·b, of 5 values each.</summary>
    public static string TwoByTwo(string path) => new ModelFile()
        .Input("a", DataType.Float, -1, 4)
        .Input("b", DataType.Float, -1, 3)
        .Weights("A", 4, 5)
        .Weights("B", 3, 5)
        .Node("MatMul", "p", "a", "A")
        .Node("MatMul", "q", "b", "B")
        .Node("Add", "sum", "p", "q")
        .Node("Sub", "difference", "p", "q")
        .Output("sum", -1, 5)
        .Output("difference", -1, 5)
        .Save(path);

    /// <summary>A model that has nothing to quantize.</summary>
    public static string Relu(string path) => new ModelFile()
        .Input("x", DataType.Float, -1, 4)
        .Node("Relu", "y", "x")
        .Output("y", -1, 4)
        .Save(path);

    /// <summary>Rows of values between −1 and 1, the same on every run.</summary>
    public static float[][] Rows(int count, int width, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
            Enumerable.Range(0, width).Select(_ => (random.NextSingle() * 2) - 1).ToArray())];
    }
}
