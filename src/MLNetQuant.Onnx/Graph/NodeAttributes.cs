using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>Reading and building nodes.</summary>
internal static class NodeAttributes
{
    /// <summary>The domain of the operators that ONNX Runtime adds to the standard.</summary>
    public const string ContribDomain = "com.microsoft";

    /// <summary>Whether the operator is one of the ONNX standard.</summary>
    public static bool IsStandard(this NodeProto node) => node.Domain is "" or "ai.onnx";

    public static long Int(this NodeProto node, string name, long otherwise) =>
        node.Find(name) is { } a ? a.I : otherwise;

    public static float Float(this NodeProto node, string name, float otherwise) =>
        node.Find(name) is { } a ? a.F : otherwise;

    public static string Text(this NodeProto node, string name, string otherwise) =>
        node.Find(name) is { } a ? a.S.ToStringUtf8() : otherwise;

    public static int[] Ints(this NodeProto node, string name, int[] otherwise) =>
        node.Find(name) is { } a ? [.. a.Ints.Select(i => checked((int)i))] : otherwise;

    /// <summary>Whether the outputs follow from the inputs alone.</summary>
    public static bool IsDeterministic(this NodeProto node) =>
        !node.OpType.StartsWith("Random", StringComparison.Ordinal)
        && node.OpType is not ("Multinomial" or "Bernoulli" or "Dropout");

    /// <summary>The graphs inside a node: branches of If, bodies of Loop and Scan.</summary>
    public static IEnumerable<GraphProto> Subgraphs(this NodeProto node) =>
        node.Attribute.SelectMany(a => a.G is null ? a.Graphs : a.Graphs.Prepend(a.G));

    /// <summary>A node of the default domain.</summary>
    public static NodeProto Create(string op, string name, IEnumerable<string> inputs, string output, params AttributeProto[] attributes)
    {
        var node = new NodeProto { OpType = op, Name = name };
        node.Input.AddRange(inputs);
        node.Output.Add(output);
        node.Attribute.AddRange(attributes);
        return node;
    }

    /// <summary>A node of ONNX Runtime's own domain, its outputs still to come.</summary>
    public static NodeProto CreateContrib(string op, IEnumerable<string> inputs, params AttributeProto[] attributes)
    {
        var node = new NodeProto { OpType = op, Domain = ContribDomain };
        node.Input.AddRange(inputs);
        node.Attribute.AddRange(attributes);
        return node;
    }

    public static AttributeProto Attribute(string name, long value) =>
        new() { Name = name, I = value, Type = AttributeProto.Types.AttributeType.Int };

    public static AttributeProto Attribute(string name, float value) =>
        new() { Name = name, F = value, Type = AttributeProto.Types.AttributeType.Float };

    public static AttributeProto Attribute(string name, long[] values)
    {
        var attribute = new AttributeProto { Name = name, Type = AttributeProto.Types.AttributeType.Ints };
        attribute.Ints.AddRange(values);
        return attribute;
    }

    private static AttributeProto? Find(this NodeProto node, string name) =>
        node.Attribute.FirstOrDefault(a => a.Name == name);
}
