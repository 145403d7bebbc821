using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>
/// Walks a graph from layer to layer with two streams on the same rows: the float model's values, and those of the
/// model whose earlier layers are quantized already. The graph is cut at each layer; each piece between two cuts runs
/// once per batch and stream, and only the tensors that a later piece reads stay alive, within a memory budget.
/// </summary>
/// <remarks>The quantized stream is cut in front of a layer, whose weights it still waits for. The float stream is cut
/// behind it, because the layer's float outputs spare the statistics a product, unless they are of no use there
/// (<see cref="LayerOutputs.AreReadable"/>).</remarks>
internal sealed class CalibrationWalk : IDisposable
{
    private readonly ModelProto _model;
    private readonly GraphIndex _index;
    private readonly IReadOnlyList<ILayer> _layers;
    private readonly int _threads;
    private readonly CancellationToken _cancellationToken;
    private readonly bool[] _needed;
    private readonly HashSet<string> _diverged = []; // tensors that are not the same in both streams
    private readonly GraphRewrites _rewrites = new();
    private readonly Dictionary<string, ITensorSource>[] _float;
    private readonly Dictionary<string, ITensorSource>[] _quantized;
    private readonly Dictionary<string, ITensorSource> _static = [];
    private readonly TensorStore _store;
    private int _floatPosition;
    private int _quantizedPosition;

    public CalibrationWalk(
        ModelProto model,
        GraphIndex index,
        IReadOnlyList<ILayer> layers,
        IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> batches,
        int threads,
        long budget,
        CancellationToken cancellationToken)
    {
        _model = model;
        _index = index;
        _layers = layers;
        _threads = threads;
        _cancellationToken = cancellationToken;
        _needed = FindNeeded();
        _store = new TensorStore(budget);
        _float = [.. batches.Select(b => b.Keys.ToDictionary(n => n, ITensorSource (n) => new BatchInput(b, n)))];
        _quantized = [.. _float.Select(b => new Dictionary<string, ITensorSource>(b))];
    }

    /// <summary>The most bytes that the values of both streams took at a time, in memory and in files.</summary>
    public long LargestBytes => _store.LargestBytes;

    /// <summary>Runs both streams up to a layer.</summary>
    /// <param name="layer">The next layer in graph order.</param>
    /// <returns>The layer's input in both streams and its float outputs, batch by batch.</returns>
    public LayerInputs Advance(ILayer layer)
    {
        Drop([]);
        var node = layer.Node.Index;
        var readsOutputs = LayerOutputs.AreReadable(layer, _index);
        var end = readsOutputs ? node + 1 : node;
        int[] ahead = [.. Nodes(_floatPosition, end).Union(readsOutputs ? [node] : [])];
        AdvanceFloat(ahead, node, readsOutputs ? layer.Node.Output : null);
        AdvanceQuantized(Nodes(_quantizedPosition, node), node);
        var outputs = readsOutputs ? Batches(_float, layer.Node.Output) : null;
        var inputs = layer.Inputs.Contains(layer.Node.Output) ? RunItself(layer) : Inputs(layer);
        (_floatPosition, _quantizedPosition) = (Math.Max(_floatPosition, end), node);
        foreach (var twin in layer.Node.Twins)
            inputs = inputs.With(LookAhead(twin, node));
        Forget(_float, Math.Min(_floatPosition, end));
        Forget(_quantized, node);
        inputs = inputs with { FloatOutputs = outputs };
        Drop(inputs.All);
        return inputs;
    }

    private LayerInputs Inputs(ILayer layer) => new(Batches(_float, layer), Batches(_quantized, layer));

    /// <summary>The inputs of a layer whose node feeds its own output back: the node runs once more for that.</summary>
    private LayerInputs RunItself(ILayer layer)
    {
        int[] node = [layer.Node.Index];
        string[] output = [layer.Node.Output];
        var (floats, quantized) = (Run(Cut(node, output, new()), _float), Run(Cut(node, output, _rewrites), _quantized));
        return new(Together(floats, _float), Together(quantized, _quantized));

        ITensorSource[] Together(Dictionary<string, ITensorSource>[] own, Dictionary<string, ITensorSource>[] stream) =>
            [.. own.Zip(stream, (o, s) => new CombinedTensor(layer, [.. layer.Inputs.Select(i => o.GetValueOrDefault(i) ?? Value(s, i))]))];
    }

    /// <summary>
    /// The float inputs of a later node with the same weight, which stand for both streams: what precedes it is not
    /// quantized yet.
    /// </summary>
    private LayerInputs LookAhead(ILayer twin, int layer)
    {
        if (twin.Node.Index > _floatPosition)
        {
            AdvanceFloat(Nodes(_floatPosition, twin.Node.Index), layer, null);
            _floatPosition = twin.Node.Index;
        }

        var inputs = Batches(_float, twin);
        return new(inputs, inputs);
    }

    /// <summary>From here on the quantized stream sees the layer's dequantized weights.</summary>
    public void Replace(ILayer layer, LayerRewrite rewrite)
    {
        // Dequantized weights are as large as the model: only those ahead of the stream are kept.
        _rewrites.Forget(weight => _index.Consumers(weight).All(n => n < layer.Node.Index));
        _rewrites.Add(layer.Node.Index, rewrite);
        _diverged.Add(rewrite.Weight);
    }

    /// <summary>Deletes the temporary files.</summary>
    public void Dispose() => _store.Dispose();

    /// <summary>The nodes of a stretch that must be run.</summary>
    private int[] Nodes(int from, int to) => [.. Enumerable.Range(from, Math.Max(0, to - from)).Where(n => _needed[n] && !_index.IsStatic(n))];

    /// <summary>What nodes produce that is read from a position on.</summary>
    private IEnumerable<string> Results(int[] nodes, int position) =>
        nodes.SelectMany(n => _index.Graph.Node[n].Output).Where(o => o.Length > 0 && IsReadFrom(o, position));

    private void AdvanceFloat(int[] nodes, int layer, string? layerOutput)
    {
        if (nodes.Length == 0)
            return;
        string[] outputs = [.. Results(nodes, layer).Union(layerOutput is null ? [] : [layerOutput])];
        Keep(_float, Run(Cut(nodes, outputs, new()), _float), outputs);
    }

    private void AdvanceQuantized(int[] nodes, int layer)
    {
        if (nodes.Length == 0)
            return;
        string[] outputs = [.. Results(nodes, layer)];
        if (nodes.Any(n => _rewrites.OfNode(n) is not null) || nodes.SelectMany(_index.Reads).Any(_diverged.Contains))
        {
            Keep(_quantized, Run(Cut(nodes, outputs, _rewrites), _quantized), outputs);
            _diverged.UnionWith(nodes.SelectMany(n => _index.Graph.Node[n].Output));
        }
        else
        {
            Keep(_quantized, _float, outputs);
        }
    }

    private GraphSlice Cut(int[] nodes, string[] outputs, GraphRewrites rewrites) =>
        GraphSlice.Cut(_model, _index, nodes, outputs, name => (int)(_float[0].GetValueOrDefault(name) ?? _quantized[0][name]).ElementType, rewrites);

    private static void Keep(Dictionary<string, ITensorSource>[] stream, Dictionary<string, ITensorSource>[] results, string[] names)
    {
        for (var batch = 0; batch < stream.Length; batch++)
        {
            foreach (var name in names)
                stream[batch][name] = results[batch][name];
        }
    }

    private static ITensorSource[] Batches(Dictionary<string, ITensorSource>[] stream, string name) => [.. stream.Select(b => b[name])];

    /// <summary>What a layer unfolds: the same object in both streams where nothing is quantized before it.</summary>
    private ITensorSource[] Batches(Dictionary<string, ITensorSource>[] stream, ILayer layer) =>
        layer.Inputs is [var only] ? Batches(stream, only) : [.. stream.Select(b => new CombinedTensor(layer, [.. layer.Inputs.Select(i => Value(b, i))]))];

    /// <summary>A value of a batch, or one that is the same in every run.</summary>
    private ITensorSource Value(Dictionary<string, ITensorSource> batch, string name)
    {
        if (batch.TryGetValue(name, out var value))
            return value;
        if (!_static.TryGetValue(name, out value))
            _static[name] = value = new GivenTensor(StaticValues.Read(_model, _index, name));
        return value;
    }

    private Dictionary<string, ITensorSource>[] Run(GraphSlice piece, Dictionary<string, ITensorSource>[] stream)
    {
        using var session = new OnnxSession(piece.Model);
        var outputs = session.Outputs;
        var results = new Dictionary<string, ITensorSource>[stream.Length];
        ParallelWork.For(
            stream.Length,
            _threads,
            b =>
            {
                var feeds = piece.Inputs.ToDictionary(n => n, n => stream[b][n].Read());
                results[b] = session.Run(feeds, outputs).ToDictionary(r => r.Key, ITensorSource (r) => _store.Add(r.Value));
            },
            _cancellationToken);
        return results;
    }

    /// <summary>Lets go of all tensors but those of the streams and these.</summary>
    private void Drop(IEnumerable<ITensorSource> others) =>
        _store.Retain(_float.Concat(_quantized).SelectMany(b => b.Values).Concat(others));

    private void Forget(Dictionary<string, ITensorSource>[] stream, int position)
    {
        foreach (var batch in stream)
        {
            foreach (var name in batch.Keys.Where(n => !IsReadFrom(n, position)).ToArray())
                batch.Remove(name);
        }
    }

    /// <summary>Whether a needed node, or a layer, from a position on reads a tensor.</summary>
    private bool IsReadFrom(string tensor, int position) =>
        _index.Consumers(tensor).Any(n => n >= position && _needed[n])
        || _layers.Any(l => l.Node.Twins.Prepend(l).Any(site => site.Node.Index >= position && site.Inputs.Contains(tensor)));

    /// <summary>The nodes that some layer's input depends on.</summary>
    private bool[] FindNeeded()
    {
        var needed = new bool[_index.Graph.Node.Count];
        var pending = new Stack<string>(_layers.SelectMany(l => l.Node.Twins.Prepend(l)).SelectMany(l => l.Inputs));
        while (pending.TryPop(out var name))
        {
            var node = _index.Producer(name);
            if (node < 0 || needed[node])
                continue;
            needed[node] = true;
            foreach (var read in _index.Reads(node))
                pending.Push(read);
        }

        return needed;
    }
}
