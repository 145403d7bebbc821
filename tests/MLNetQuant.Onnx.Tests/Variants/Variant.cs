using Microsoft.ML.OnnxRuntime.Tensors;
using MLNetQuant.Onnx.Tests.Models;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.Tests.Variants;

/// <summary>A small model around one variant of an operator: input x, output y, bias b where there is one.</summary>
/// <param name="Input">Shape of x; N is the extent of its rows.</param>
/// <param name="Weights">The weights that are to be quantized, in the order of the layers.</param>
/// <param name="Build">Builds everything but x and y.</param>
internal sealed record Variant(string Input, WeightForm[] Weights, Func<GraphBuilder> Build)
{
    private const int RowsInAll = 40;

    /// <summary>Whether y is αXW + βb of one layer, so that errors of the layer are errors of y.</summary>
    public bool IsPlain { get; init; }

    /// <summary>α.</summary>
    public double Alpha { get; init; } = 1;

    /// <summary>β.</summary>
    public double Beta { get; init; } = 1;

    /// <summary>Element type of x.</summary>
    public DataType Type { get; init; } = DataType.Float;

    /// <summary>Element type of y.</summary>
    public DataType OutputType { get; init; } = DataType.Float;

    /// <summary>Rows of the table that an x of indices looks up.</summary>
    public int Table { get; init; }

    /// <summary>The model.</summary>
    public OnnxModel Model() => Build().Input("x", Input, Type).Output("y", OutputType).Build();

    /// <summary>
    /// Calibration rows: along N where that comes first, else whole inputs one after the other; two sequences where N is the
    /// batch of sequences. An x of float16 is given float32 rows, which the product rounds.
    /// </summary>
    public OnnxTensor Rows() => Tensor(11, Input.StartsWith("N,", StringComparison.Ordinal)
        ? [RowsInAll, .. Shape(2)[1..]]
        : Input.Contains('N', StringComparison.Ordinal) ? [8 * Shape(2)[0], .. Shape(2)[1..]] : [RowsInAll, .. Shape(2)]);

    /// <summary>What one run takes.</summary>
    public OnnxTensor Test(int rows = 2) => Type == DataType.Float16
        ? Tensor(12, Shape(rows)).Rounded(TensorElementType.Float16)
        : Tensor(12, Shape(rows));

    private long[] Shape(int rows) => [.. Input.Split(',').Select(e => e == "N" ? rows : long.Parse(e))];

    private OnnxTensor Tensor(int seed, params long[] shape)
    {
        var count = (int)shape.Aggregate(1L, (a, b) => a * b);
        var values = new GraphBuilder(seed: seed).Floats(count);
        return Type == DataType.Int64 ? OnnxTensor.Create([.. values.Select(v => (long)((v + 1) / 2 * Table))], shape) : OnnxTensor.Create(values, shape);
    }
}
