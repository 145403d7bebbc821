using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;
using DataType = MLNetQuant.Onnx.Proto.TensorProto.Types.DataType;

namespace MLNetQuant.Tests.Chains;

/// <summary>A chain with two ONNX models, one reading what the other gives: x (8) → h (16) → relu → Score (5).</summary>
internal sealed class TwoSteps : IDisposable
{
    private readonly ScratchFolder _folder = new();

    public TwoSteps()
    {
        First = new ModelFile()
            .Input("x", DataType.Float, -1, 8)
            .Weights("A", 8, 16)
            .Node("MatMul", "h", "x", "A")
            .Output("h", -1, 16)
            .Save(_folder["first.onnx"]);
        Second = new ModelFile()
            .Input("hidden", DataType.Float, -1, 16)
            .Weights("B", 16, 5)
            .Node("Relu", "r", "hidden")
            .Node("MatMul", "Score", "r", "B")
            .Output("Score", -1, 5)
            .Save(_folder["second.onnx"]);
        Rows = ML.Data.LoadFromEnumerable(SmallModels.Rows(200, 8).Select(r => new Row { X = r }));
    }

    /// <summary>Two bits, so that what is quantized cannot be taken for what is not.</summary>
    public static QuantizationOptions Options { get; } = new() { Bits = 2 };

    public MLContext ML { get; } = new(seed: 1);

    public string First { get; }

    public string Second { get; }

    public IDataView Rows { get; }

    public EstimatorChain<Microsoft.ML.Transforms.Onnx.OnnxTransformer> Pipeline => ML.Transforms.ApplyOnnxModel(First)
        .Append(ML.Transforms.CopyColumns("hidden", "h"))
        .Append(ML.Transforms.ApplyOnnxModel(Second));

    public float[][] Score(ITransformer model) => [.. model.Transform(Rows).GetColumn<float[]>("Score")];

    /// <summary>The model's zip.</summary>
    public byte[] Save(ITransformer model)
    {
        using var stream = new MemoryStream();
        ML.Model.Save(model, Rows.Schema, stream);
        return stream.ToArray();
    }

    public void Dispose() => _folder.Dispose();

    public sealed class Row
    {
        [VectorType(8)]
        [ColumnName("x")]
        public float[] X { get; set; } = [];
    }
}
