using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>
/// Replaces calls of model-local functions by their bodies, so that weights inside functions are weights of the graph.
/// A function whose operator sets differ from the model's stays a function.
/// </summary>
internal sealed class FunctionInlining
{
    private readonly Dictionary<(string Domain, string Name, string Overload), FunctionProto> _functions;
    private readonly ModelProto _model;
    private readonly FreshNames _names;
    private readonly HashSet<string> _nodeNames = [];

    private FunctionInlining(ModelProto model)
    {
        _model = model;
        _functions = model.Functions.Where(IsCompatible).ToDictionary(f => (Domain(f.Domain), f.Name, f.Overload));
        _names = new(model.Graph);
    }

    /// <summary>Inlines the functions of a model, which is changed.</summary>
    public static void Apply(ModelProto model)
    {
        if (model.Functions.Count == 0)
            return;
        var inlining = new FunctionInlining(model);
        inlining.Expand(model.Graph.Node);
        foreach (var function in inlining._functions.Values)
            model.Functions.Remove(function);
    }

    /// <summary>Whether each operator set that a function imports is the model's, or none of the model's yet.</summary>
    private bool IsCompatible(FunctionProto function) => function.OpsetImport.All(wanted =>
        _model.OpsetImport.FirstOrDefault(o => Domain(o.Domain) == Domain(wanted.Domain)) is not { } given
        || given.Version == wanted.Version);

    private void Expand(Google.Protobuf.Collections.RepeatedField<NodeProto> nodes)
    {
        NodeProto[] old = [.. nodes];
        nodes.Clear();
        foreach (var node in old)
        {
            foreach (var subgraph in node.Subgraphs())
                Expand(subgraph.Node);
            if (_functions.TryGetValue((Domain(node.Domain), node.OpType, node.Overload), out var function))
                Inline(node, function, nodes);
            else
                nodes.Add(node);
        }
    }

    private void Inline(NodeProto call, FunctionProto function, Google.Protobuf.Collections.RepeatedField<NodeProto> nodes)
    {
        ImportOpsets(function);
        var prefix = Unique(call.Name.Length > 0 ? call.Name : function.Name);
        var scope = new Scope(call, function, prefix, _names);
        var body = new Google.Protobuf.Collections.RepeatedField<NodeProto>();
        body.AddRange(function.Node.Select(scope.Copy));
        Expand(body);
        nodes.AddRange(body);

        // An input that a function returns as it came.
        foreach (var (formal, actual) in function.Output.Zip(call.Output).Where(o => o.Second.Length > 0 && function.Input.Contains(o.First)))
            nodes.Add(NodeAttributes.Create("Identity", $"{prefix}/{formal}", [scope.Actual(formal)], actual));
    }

    private void ImportOpsets(FunctionProto function)
    {
        foreach (var wanted in function.OpsetImport)
        {
            if (_model.OpsetImport.All(o => Domain(o.Domain) != Domain(wanted.Domain)))
                _model.OpsetImport.Add(wanted.Clone());
        }
    }

    private string Unique(string name)
    {
        var unique = name;
        for (var n = 2; !_nodeNames.Add(unique); n++)
            unique = $"{name}_{n}";
        return unique;
    }

    private static string Domain(string domain) => domain == "ai.onnx" ? "" : domain;

    /// <summary>One call: what the names and attributes of the body mean there.</summary>
    private sealed class Scope
    {
        private readonly Dictionary<string, string> _actual = [];
        private readonly Dictionary<string, AttributeProto> _attributes;
        private readonly string _prefix;
        private readonly FreshNames _names;

        public Scope(NodeProto call, FunctionProto function, string prefix, FreshNames names)
        {
            (_prefix, _names) = (prefix, names);
            _attributes = function.AttributeProto.Concat(call.Attribute).GroupBy(a => a.Name).ToDictionary(g => g.Key, g => g.Last());
            for (var i = 0; i < function.Input.Count; i++)
                _actual[function.Input[i]] = i < call.Input.Count ? call.Input[i] : "";
            for (var i = 0; i < function.Output.Count; i++)
            {
                if (i < call.Output.Count && call.Output[i].Length > 0 && !function.Input.Contains(function.Output[i]))
                    _actual[function.Output[i]] = call.Output[i];
            }
        }

        /// <summary>What a name of the body is called in the graph.</summary>
        public string Actual(string formal)
        {
            if (formal.Length == 0)
                return formal;
            if (!_actual.TryGetValue(formal, out var actual))
                _actual[formal] = actual = _names.Take($"{_prefix}/{formal}");
            return actual;
        }

        public NodeProto Copy(NodeProto node)
        {
            var copy = node.Clone();
            copy.Name = node.Name.Length > 0 ? $"{_prefix}/{node.Name}" : "";
            for (var i = 0; i < copy.Input.Count; i++)
                copy.Input[i] = Actual(copy.Input[i]);
            for (var i = 0; i < copy.Output.Count; i++)
                copy.Output[i] = Actual(copy.Output[i]);
            for (var i = copy.Attribute.Count - 1; i >= 0; i--)
            {
                var attribute = copy.Attribute[i];
                if (attribute.RefAttrName.Length > 0)
                {
                    copy.Attribute.RemoveAt(i);
                    if (_attributes.TryGetValue(attribute.RefAttrName, out var given))
                    {
                        var named = given.Clone();
                        named.Name = attribute.Name;
                        copy.Attribute.Insert(i, named);
                    }
                }
            }

            foreach (var subgraph in copy.Subgraphs())
                Rename(subgraph);
            return copy;
        }

        private void Rename(GraphProto graph)
        {
            foreach (var value in graph.Input.Concat(graph.Output).Concat(graph.ValueInfo))
                value.Name = Actual(value.Name);
            foreach (var initializer in graph.Initializer)
                initializer.Name = Actual(initializer.Name);
            NodeProto[] nodes = [.. graph.Node.Select(Copy)];
            graph.Node.Clear();
            graph.Node.AddRange(nodes);
        }
    }
}
