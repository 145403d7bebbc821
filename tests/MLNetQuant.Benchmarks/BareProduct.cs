using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Benchmarks;

/// <summary>What everything is measured by: AᵀB as one Gemm node, ONNX Runtime left to use all processors.</summary>
internal sealed class BareProduct : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _options = new();
    private readonly OrtValue[] _operands;
    private readonly OrtValue[] _result;

    /// <param name="a">rows × n.</param>
    /// <param name="b">rows × m.</param>
    /// <param name="rows">Rows of both.</param>
    /// <param name="n">Rows of the result.</param>
    /// <param name="m">Columns of the result.</param>
    public BareProduct(float[] a, float[] b, int rows, int n, int m)
    {
        var transposed = new AttributeProto { Name = "transA", Type = AttributeProto.Types.AttributeType.Int, I = 1 };
        var model = new ModelProto
        {
            IrVersion = 8,
            OpsetImport = { new OperatorSetIdProto { Version = 13 } },
            Graph = new()
            {
                Name = "gemm",
                Node = { new NodeProto { OpType = "Gemm", Input = { "a", "b" }, Output = { "y" }, Attribute = { transposed } } },
                Input = { Value("a"), Value("b") },
                Output = { Value("y") },
            },
        };
        using var options = new SessionOptions { IntraOpNumThreads = Environment.ProcessorCount, InterOpNumThreads = 1 };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"); // waiting is no work
        _session = new(model.ToByteArray(), options);
        _operands = [OrtValue.CreateTensorValueFromMemory(a, [rows, n]), OrtValue.CreateTensorValueFromMemory(b, [rows, m])];
        _result = [OrtValue.CreateTensorValueFromMemory(new float[n * m], [n, m])];
    }

    /// <summary>Computes the product so many times.</summary>
    public void Run(int times)
    {
        for (var i = 0; i < times; i++)
            _session.Run(_options, ["a", "b"], _operands, ["y"], _result);
    }

    public void Dispose()
    {
        foreach (var value in _operands.Concat(_result))
            value.Dispose();
        _options.Dispose();
        _session.Dispose();
    }

    private static ValueInfoProto Value(string name) => new()
    {
        Name = name,
        Type = new() { TensorType = new() { ElemType = (int)TensorProto.Types.DataType.Float } },
    };
}
