using Google.Protobuf;
using MLNetQuant.Onnx.Proto;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.Tests.Models;

/// <summary>
/// Small models for tests, node by node. Shapes and tensor lists are text: "N,3,8,8" is a shape whose first extent is
/// open, "x,W,,b" is a list of inputs whose third is left out. Weights are random but the same in every run.
/// </summary>
internal sealed class GraphBuilder(long opset = 13, long ir = 8, int seed = 1)
{
    private readonly Random _random = new(seed);
    private readonly ModelProto _model = new()
    {
        IrVersion = ir,
        ProducerName = "tests",
        OpsetImport = { new OperatorSetIdProto { Domain = "", Version = opset } },
        Graph = new GraphProto { Name = "graph" },
    };

    /// <summary>The graph built so far, for what the methods here do not offer.</summary>
    public GraphProto Graph => _model.Graph;

    public GraphBuilder Input(string name, string shape, DataType type = DataType.Float)
    {
        Graph.Input.Add(Value(name, type, shape));
        return this;
    }

    /// <summary>An output; its shape is left to ONNX Runtime.</summary>
    public GraphBuilder Output(string name, DataType type = DataType.Float)
    {
        Graph.Output.Add(Value(name, type, shape: null));
        return this;
    }

    /// <summary>A float initializer, uniform on [−1, 1).</summary>
    public GraphBuilder Weight(string name, params long[] dims) => Constant(name, Floats(Count(dims)), dims);

    /// <summary>A random initializer of float16 or bfloat16.</summary>
    public GraphBuilder Half(string name, DataType type, params long[] dims)
    {
        Graph.Initializer.Add(HalfTensor(name, type, Floats(Count(dims)), dims));
        return this;
    }

    public GraphBuilder Constant(string name, float[] values, params long[] dims)
    {
        Graph.Initializer.Add(Tensor(name, values, dims));
        return this;
    }

    public GraphBuilder Constant(string name, long[] values, params long[] dims)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)DataType.Int64, Int64Data = { values } };
        tensor.Dims.AddRange(dims);
        Graph.Initializer.Add(tensor);
        return this;
    }

    /// <summary>Appends a node, named after its first output unless a name is given.</summary>
    /// <param name="op">Operator type; "domain::type" for one outside the default domain.</param>
    /// <param name="inputs">Names, comma-separated.</param>
    /// <param name="outputs">Names, comma-separated.</param>
    /// <param name="attributes">Values: long, float, string, long[], TensorProto or GraphProto.</param>
    public GraphBuilder Node(string op, string inputs, string outputs, params (string Name, object Value)[] attributes) =>
        Named(outputs.Split(',')[0], op, inputs, outputs, attributes);

    public GraphBuilder Named(string name, string op, string inputs, string outputs, params (string Name, object Value)[] attributes)
    {
        var parts = op.Split("::");
        var node = new NodeProto { Name = name, OpType = parts[^1], Domain = parts.Length > 1 ? parts[0] : "" };
        node.Input.AddRange(inputs.Length == 0 ? [] : inputs.Split(','));
        node.Output.AddRange(outputs.Split(','));
        node.Attribute.AddRange(attributes.Select(a => Attribute(a.Name, a.Value)));
        Graph.Node.Add(node);
        return this;
    }

    /// <summary>A function of the model, with its domain.</summary>
    public GraphBuilder Function(FunctionProto function)
    {
        _model.Functions.Add(function);
        _model.OpsetImport.Add(new OperatorSetIdProto { Domain = function.Domain, Version = 1 });
        return this;
    }

    public float[] Floats(long count) => [.. Enumerable.Range(0, (int)count).Select(_ => (float)((_random.NextDouble() * 2) - 1))];

    /// <summary>A random input tensor.</summary>
    public OnnxTensor Rows(params long[] shape) => OnnxTensor.Create(Floats(Count(shape)), shape);

    public ModelProto Proto() => _model.Clone();

    /// <summary>The model after a trip through its bytes, as a file would bring it.</summary>
    public OnnxModel Build(string name = "test") => OnnxModel.Parse(_model.ToByteArray(), name);

    public static TensorProto Tensor(string name, float[] values, params long[] dims)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)DataType.Float, FloatData = { values } };
        tensor.Dims.AddRange(dims);
        return tensor;
    }

    /// <summary>Numbers rounded to nearest float16 or bfloat16.</summary>
    public static TensorProto HalfTensor(string name, DataType type, float[] values, params long[] dims)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)type };
        tensor.Dims.AddRange(dims);
        tensor.Int32Data.AddRange(values.Select(v => type == DataType.Float16
            ? BitConverter.HalfToUInt16Bits((Half)v)
            : (int)((BitConverter.SingleToUInt32Bits(v) + 0x7FFF + ((BitConverter.SingleToUInt32Bits(v) >> 16) & 1)) >> 16)));
        return tensor;
    }

    private static long Count(long[] dims) => dims.Aggregate(1L, (a, b) => a * b);

    private static ValueInfoProto Value(string name, DataType type, string? shape)
    {
        var tensor = new TypeProto.Types.Tensor { ElemType = (int)type };
        if (shape is not null)
        {
            tensor.Shape = new TensorShapeProto();
            foreach (var extent in shape.Split(',', StringSplitOptions.RemoveEmptyEntries))
            {
                tensor.Shape.Dim.Add(long.TryParse(extent, out var value)
                    ? new TensorShapeProto.Types.Dimension { DimValue = value }
                    : new TensorShapeProto.Types.Dimension { DimParam = extent });
            }
        }

        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = tensor } };
    }

    private static AttributeProto Attribute(string name, object value)
    {
        var attribute = new AttributeProto { Name = name };
        switch (value)
        {
            case long i:
                (attribute.I, attribute.Type) = (i, AttributeProto.Types.AttributeType.Int);
                break;
            case float f:
                (attribute.F, attribute.Type) = (f, AttributeProto.Types.AttributeType.Float);
                break;
            case string s:
                (attribute.S, attribute.Type) = (ByteString.CopyFromUtf8(s), AttributeProto.Types.AttributeType.String);
                break;
            case long[] many:
                attribute.Ints.AddRange(many);
                attribute.Type = AttributeProto.Types.AttributeType.Ints;
                break;
            case TensorProto tensor:
                (attribute.T, attribute.Type) = (tensor, AttributeProto.Types.AttributeType.Tensor);
                break;
            case GraphProto graph:
                (attribute.G, attribute.Type) = (graph, AttributeProto.Types.AttributeType.Graph);
                break;
            default:
                throw new ArgumentException($"There is no attribute of type {value.GetType()}.", nameof(value));
        }

        return attribute;
    }
}
