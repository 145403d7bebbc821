using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Numerics;

/// <summary>
/// A model of one MatMul node, opened once. Each run uses one thread and memory of the caller; runs may be concurrent.
/// </summary>
internal sealed unsafe class ProductSession : IDisposable
{
    private static readonly string[] Operands = ["a", "b"];
    private static readonly string[] Result = ["y"];

    private readonly InferenceSession _session;
    private readonly RunOptions _runOptions = new();

    public ProductSession()
    {
        using var options = new SessionOptions
        {
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            EnableCpuMemArena = false, // nothing is allocated but scratch, and that should not outlive the run
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        _session = new(Model().ToByteArray(), options);
    }

    /// <summary>y = ab, all row-major and dense.</summary>
    /// <param name="a">rows × inner.</param>
    /// <param name="b">inner × columns.</param>
    /// <param name="y">rows × columns; overwritten.</param>
    /// <param name="rows">Rows of y, at least 1, as the other sizes.</param>
    /// <param name="inner">The size that is summed over.</param>
    /// <param name="columns">Columns of y.</param>
    public void Run(float* a, float* b, float* y, int rows, int inner, int columns)
    {
        using var left = Tensor(a, rows, inner);
        using var right = Tensor(b, inner, columns);
        using var result = Tensor(y, rows, columns);
        _session.Run(_runOptions, Operands, [left, right], Result, [result]);
    }

    public void Dispose()
    {
        _runOptions.Dispose();
        _session.Dispose();
    }

    private static OrtValue Tensor(float* data, int rows, int columns) => OrtValue.CreateTensorValueWithData(
        OrtMemoryInfo.DefaultInstance, TensorElementType.Float, [rows, columns], (nint)data, (long)rows * columns * sizeof(float));

    private static ModelProto Model() => new()
    {
        IrVersion = 8,
        OpsetImport = { new OperatorSetIdProto { Version = 13 } },
        Graph = new()
        {
            Name = "product",
            Node = { new NodeProto { OpType = "MatMul", Name = "product", Input = { Operands }, Output = { Result } } },
            Input = { Matrix("a"), Matrix("b") },
            Output = { Matrix("y") },
        },
    };

    private static ValueInfoProto Matrix(string name) => new()
    {
        Name = name,
        Type = new() { TensorType = new() { ElemType = (int)TensorProto.Types.DataType.Float } },
    };
}
