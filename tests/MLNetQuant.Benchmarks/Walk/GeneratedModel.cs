using System.Runtime.InteropServices;
using Google.Protobuf;
using MLNetQuant.Onnx;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Benchmarks.Walk;

/// <summary>A network whose layers are all alike, so that its work is proportional to its depth, with rows to calibrate on.</summary>
/// <param name="Name">What tables call it.</param>
/// <param name="Depth">Layers, or blocks, one behind the other.</param>
/// <param name="Model">The network.</param>
/// <param name="Rows">Calibration rows of its input.</param>
/// <param name="Inputs">Number of inputs of each different tensor that layers read: the order of its Gram matrix.</param>
/// <param name="RowsPerLayer">Rows of the matrix problem that the calibration rows make in each layer.</param>
internal sealed record GeneratedModel(
    string Name, int Depth, OnnxModel Model, OnnxTensor Rows, IReadOnlyList<int> Inputs, int RowsPerLayer)
{
    public const string Input = "x";

    public CalibrationData Calibration => new(new Dictionary<string, OnnxTensor> { [Input] = Rows });
}

/// <summary>Puts a model together, node by node, with weights from a generator that starts alike in each run.</summary>
internal sealed class ModelWriter
{
    private readonly Random _random = new(1);
    private readonly GraphProto _graph = new() { Name = "generated" };
    private int _number;

    /// <summary>Adds a node with one output.</summary>
    /// <returns>The name of the output.</returns>
    public string Node(string op, string[] inputs, params AttributeProto[] attributes)
    {
        var node = new NodeProto { OpType = op, Name = $"{op}_{++_number}" };
        node.Input.AddRange(inputs);
        node.Output.Add($"t{_number}");
        node.Attribute.AddRange(attributes);
        _graph.Node.Add(node);
        return node.Output[0];
    }

    /// <summary>A constant of numbers uniform on (−limit, limit).</summary>
    public string Weight(double limit, params long[] dims) =>
        Floats(Numbers(_random, (int)dims.Aggregate(1L, (a, b) => a * b), limit), dims);

    public string Floats(float[] values, params long[] dims) =>
        Constant(TensorProto.Types.DataType.Float, MemoryMarshal.AsBytes<float>(values), dims);

    public string Integers(params long[] values) =>
        Constant(TensorProto.Types.DataType.Int64, MemoryMarshal.AsBytes<long>(values), values.Length);

    public static AttributeProto Ints(string name, params long[] values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Ints };
        attribute.Ints.AddRange(values);
        return attribute;
    }

    public static AttributeProto Int(string name, long value) =>
        new() { Name = name, Type = AttributeProto.Types.AttributeType.Int, I = value };

    /// <summary>The model, whose input is <see cref="GeneratedModel.Input"/>, a batch first.</summary>
    public OnnxModel Build(string name, string output, params long[] inputShape)
    {
        var shape = new TensorShapeProto { Dim = { new TensorShapeProto.Types.Dimension { DimParam = "N" } } };
        shape.Dim.AddRange(inputShape.Select(d => new TensorShapeProto.Types.Dimension { DimValue = d }));
        _graph.Input.Add(Value(GeneratedModel.Input, shape));
        _graph.Output.Add(Value(output, null));
        var model = new ModelProto { IrVersion = 8, OpsetImport = { new OperatorSetIdProto { Version = 17 } }, Graph = _graph };
        return OnnxModel.Parse(model.ToByteArray(), name);
    }

    /// <summary>Numbers uniform on (−limit, limit).</summary>
    public static float[] Numbers(Random random, int count, double limit)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++)
            values[i] = (float)(((2 * random.NextDouble()) - 1) * limit);
        return values;
    }

    private string Constant(TensorProto.Types.DataType type, ReadOnlySpan<byte> bytes, params long[] dims)
    {
        var tensor = new TensorProto { Name = $"c{++_number}", DataType = (int)type, RawData = ByteString.CopyFrom(bytes) };
        tensor.Dims.AddRange(dims);
        _graph.Initializer.Add(tensor);
        return tensor.Name;
    }

    private static ValueInfoProto Value(string name, TensorShapeProto? shape)
    {
        var value = new ValueInfoProto
        {
            Name = name,
            Type = new() { TensorType = new() { ElemType = (int)TensorProto.Types.DataType.Float } },
        };
        if (shape is not null)
            value.Type.TensorType.Shape = shape;
        return value;
    }
}
