using System.Runtime.InteropServices;
using Google.Protobuf;
using MLNetQuant.Onnx.Proto;
using DataType = MLNetQuant.Onnx.Proto.TensorProto.Types.DataType;

namespace MLNetQuant.Tests.Models;

/// <summary>Builds small ONNX models, node by node. A dimension of −1 is open.</summary>
internal sealed class ModelFile
{
    private readonly GraphProto _graph = new() { Name = "small" };

    public ModelFile Input(string name, DataType type, params long[] shape)
    {
        _graph.Input.Add(Value(name, type, shape));
        return this;
    }

    public ModelFile Output(string name, params long[] shape) => Output(name, DataType.Float, shape);

    public ModelFile Output(string name, DataType type, params long[] shape)
    {
        _graph.Output.Add(Value(name, type, shape));
        return this;
    }

    /// <summary>A constant list of whole numbers.</summary>
    public ModelFile Ints(string name, params long[] values) => Constant(name, [values.Length], values);

    /// <summary>A constant whole number without axes.</summary>
    public ModelFile Scalar(string name, long value) => Constant(name, [], [value]);

    /// <summary>A node with an attribute of whole numbers.</summary>
    public ModelFile Attribute(string op, string output, string[] inputs, string attribute, params long[] values)
    {
        Node(op, output, inputs);
        var ints = new AttributeProto { Name = attribute, Type = AttributeProto.Types.AttributeType.Ints };
        ints.Ints.AddRange(values);
        _graph.Node[^1].Attribute.Add(ints);
        return this;
    }

    /// <summary>DynamicQuantizeLinear, with its scale and zero point.</summary>
    public ModelFile Quantize(string output, string scale, string zeroPoint, string input)
    {
        Node("DynamicQuantizeLinear", output, input);
        _graph.Node[^1].Output.AddRange([scale, zeroPoint]);
        return this;
    }

    /// <summary>A Cast to a type other than float.</summary>
    public ModelFile Cast(string output, string input, DataType to)
    {
        Node("Cast", output, input);
        _graph.Node[^1].Attribute[0].I = (long)to;
        return this;
    }

    public ModelFile Node(string op, string output, params string[] inputs)
    {
        var node = new NodeProto { OpType = op, Name = $"{op}_{output}" };
        node.Input.AddRange(inputs);
        node.Output.Add(output);
        if (op == "Cast")
            node.Attribute.Add(new AttributeProto { Name = "to", Type = AttributeProto.Types.AttributeType.Int, I = (long)DataType.Float });
        _graph.Node.Add(node);
        return this;
    }

    /// <summary>Negates values a number of times, each time an operator of its own.</summary>
    public ModelFile Negate(string output, string input, string times)
    {
        var body = new ModelFile().Input("i", DataType.Int64).Input("go", DataType.Bool).Input("v", DataType.Float)
            .Node("Identity", "goes", "go").Node("Neg", "w", "v").Output("goes", DataType.Bool).Output("w");
        body._graph.Input[^1].Type.TensorType.Shape = null;
        body._graph.Output[^1].Type.TensorType.Shape = null;
        Node("Loop", output, times, "", input);
        _graph.Node[^1].Attribute.Add(new AttributeProto { Name = "body", Type = AttributeProto.Types.AttributeType.Graph, G = body._graph });
        return this;
    }

    /// <summary>A matrix of weights between −1 and 1, the same on every run.</summary>
    public ModelFile Weights(string name, int rows, int columns)
    {
        var random = new Random(rows * 1000 + columns);
        var values = Enumerable.Range(0, rows * columns).Select(_ => (random.NextSingle() * 2) - 1).ToArray();
        var tensor = new TensorProto
        {
            Name = name,
            DataType = (int)DataType.Float,
            RawData = ByteString.CopyFrom(MemoryMarshal.AsBytes<float>(values)),
        };
        tensor.Dims.AddRange([rows, columns]);
        _graph.Initializer.Add(tensor);
        return this;
    }

    /// <summary>Those weights rounded to float16.</summary>
    public ModelFile HalfWeights(string name, int rows, int columns)
    {
        Weights(name, rows, columns);
        var tensor = _graph.Initializer[^1];
        Half[] values = [.. MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray().Select(v => (Half)v)];
        (tensor.DataType, tensor.RawData) = ((int)DataType.Float16, ByteString.CopyFrom(MemoryMarshal.AsBytes<Half>(values)));
        return this;
    }

    public string Save(string path)
    {
        var model = new ModelProto { IrVersion = 8, Graph = _graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = string.Empty, Version = 17 });
        File.WriteAllBytes(path, model.ToByteArray());
        return path;
    }

    private ModelFile Constant(string name, long[] shape, long[] values)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)DataType.Int64 };
        tensor.Dims.AddRange(shape);
        tensor.Int64Data.AddRange(values);
        _graph.Initializer.Add(tensor);
        return this;
    }

    private static ValueInfoProto Value(string name, DataType type, long[] shape)
    {
        var dims = new TensorShapeProto();
        foreach (var (axis, extent) in shape.Index())
            dims.Dim.Add(extent < 0 ? new TensorShapeProto.Types.Dimension { DimParam = $"N{axis}" } : new() { DimValue = extent });
        return new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = dims } },
        };
    }
}
