using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.Tests.Variants;

/// <summary>
/// What the ONNX operators say of a weight's axes: which elements go into which output. Written down here anew, so that the
/// product's own layouts have something to be compared with.
/// </summary>
/// <param name="Name">The tensor that the operator reads.</param>
/// <param name="Dims">Its shape.</param>
/// <param name="Groups">Groups, or directions.</param>
/// <param name="Inputs">Inputs of each output.</param>
/// <param name="Outputs">Outputs of a group.</param>
/// <param name="OutputMajor">Whether the inputs of an output are neighbours: g, j, t is the order then, else g, t, j.</param>
internal sealed record WeightForm(string Name, long[] Dims, int Groups, int Inputs, int Outputs, bool OutputMajor)
{
    /// <summary>What the tensor is called in the quantized file.</summary>
    public string File { get; init; } = Name;

    /// <summary>Element type.</summary>
    public DataType Type { get; init; } = DataType.Float;

    /// <summary>Number of weights.</summary>
    public int Count => Groups * Inputs * Outputs;

    /// <summary>N×M, of MatMul and Gemm.</summary>
    public static WeightForm Matrix(long inputs, long outputs, string name = "W") =>
        new(name, [inputs, outputs], 1, (int)inputs, (int)outputs, OutputMajor: false);

    /// <summary>M×N: of a MatMul on the left, of Gemm with transB, of a table whose rows are looked up.</summary>
    public static WeightForm Rows(long outputs, long inputs, string name = "W") =>
        new(name, [outputs, inputs], 1, (int)inputs, (int)outputs, OutputMajor: true);

    /// <summary>M×C/g×kernel, of Conv.</summary>
    public static WeightForm Filters(string dims, long groups = 1) => Filters(Parse(dims), (int)groups);

    /// <summary>C×M/g×kernel, of ConvTranspose: every tap of every output is an output of its own.</summary>
    public static WeightForm Taps(string dims, long groups = 1)
    {
        var shape = Parse(dims);
        return new("W", shape, (int)groups, (int)(shape[0] / groups), Product(shape.Skip(1)), OutputMajor: false);
    }

    /// <summary>Directions × gates·hidden × inputs, of LSTM and GRU.</summary>
    public static WeightForm Gates(string name, long directions, long outputs, long inputs) =>
        new(name, [directions, outputs, inputs], (int)directions, (int)inputs, (int)outputs, OutputMajor: true);

    /// <summary>Group, input and output of the element at a place of the tensor.</summary>
    public (int Group, int Input, int Output) Place(int at)
    {
        var (group, rest) = Math.DivRem(at, Inputs * Outputs);
        return OutputMajor ? (group, rest % Inputs, rest / Inputs) : (group, rest / Outputs, rest % Outputs);
    }

    private static WeightForm Filters(long[] shape, int groups) =>
        new("W", shape, groups, Product(shape.Skip(1)), (int)shape[0] / groups, OutputMajor: true);

    private static int Product(IEnumerable<long> extents) => (int)extents.Aggregate(1L, (a, b) => a * b);

    private static long[] Parse(string text) => [.. text.Split(',').Select(long.Parse)];
}
