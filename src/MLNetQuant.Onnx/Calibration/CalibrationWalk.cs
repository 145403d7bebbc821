using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>
/// Walks a graph from layer to layer with two streams on the same rows: the float model's values, and those of the
/// model whose earlier layers are quantized already. The graph is cut in front of each layer; each piece between two
/// cuts runs once per batch and stream, and only the tensors that a later piece reads stay alive.
/// </summary>
internal sealed class CalibrationWalk
{
    private readonly ModelProto _model;
    private readonly GraphIndex _index;
    private readonly IReadOnlyList<ILayer> _layers;
    private readonly int _threads;
    private readonly CancellationToken _cancellationToken;
    private readonly bool[] _needed;
    private readonly Dictionary<int, LayerRewrite> _rewrites = [];
    private readonly Dictionary<string, OnnxTensor>[] _float;
    private readonly Dictionary<string, OnnxTensor>[] _quantized;
    private int _position;

    public CalibrationWalk(
        ModelProto model,
        GraphIndex index,
        IReadOnlyList<ILayer> layers,
        IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> batches,
        int threads,
        CancellationToken cancellationToken)
    {
        _model = model;
        _index = index;
        _layers = layers;
        _threads = threads;
        _cancellationToken = cancellationToken;
        _needed = FindNeeded();
        _float = [.. batches.Select(b => new Dictionary<string, OnnxTensor>(b))];
        _quantized = [.. batches.Select(b => new Dictionary<string, OnnxTensor>(b))];
    }

    /// <summary>Runs both streams up to a layer.</summary>
    /// <param name="layer">The next layer in graph order.</param>
    /// <returns>The layer's input in both streams, batch by batch.</returns>
    public LayerInputs Advance(ILayer layer)
    {
        var to = layer.Node.Index;
        int[] nodes = [.. Enumerable.Range(_position, to - _position).Where(n => _needed[n] && !_index.IsStatic(n))];
        _position = to;
        if (nodes.Length > 0)
            RunPiece(nodes, to);
        Forget(to);
        var input = layer.Node.Input;
        return new([.. _float.Select(b => b[input])], [.. _quantized.Select(b => b[input])]);
    }

    /// <summary>From here on the quantized stream sees the layer's dequantized weights.</summary>
    public void Replace(ILayer layer, LayerRewrite rewrite) => _rewrites.Add(layer.Node.Index, rewrite);

    private void RunPiece(int[] nodes, int to)
    {
        string[] outputs = [.. nodes.SelectMany(n => _index.Graph.Node[n].Output).Where(o => o.Length > 0 && IsReadFrom(o, to))];
        var floatPiece = Cut(new Dictionary<int, LayerRewrite>());
        var floatResults = Run(floatPiece, _float);

        var diverged = nodes.Any(_rewrites.ContainsKey)
            || floatPiece.Inputs.Any(i => !ReferenceEquals(_float[0][i], _quantized[0][i]));
        var quantizedResults = diverged ? Run(Cut(_rewrites), _quantized) : floatResults;
        for (var batch = 0; batch < _float.Length; batch++)
        {
            foreach (var name in outputs)
            {
                _float[batch][name] = floatResults[batch][name];
                _quantized[batch][name] = quantizedResults[batch][name];
            }
        }

        GraphSlice Cut(IReadOnlyDictionary<int, LayerRewrite> rewrites) => GraphSlice.Cut(
            _model, _index, nodes, outputs, name => (int)_float[0][name].ElementType, rewrites);
    }

    private Dictionary<string, OnnxTensor>[] Run(GraphSlice piece, Dictionary<string, OnnxTensor>[] stream)
    {
        using var session = new OnnxSession(piece.Model);
        return session.RunAll(stream, session.Outputs, _threads, _cancellationToken);
    }

    private void Forget(int position)
    {
        foreach (var stream in new[] { _float, _quantized })
        {
            foreach (var batch in stream)
            {
                foreach (var name in batch.Keys.Where(n => !IsReadFrom(n, position)).ToArray())
                    batch.Remove(name);
            }
        }
    }

    /// <summary>Whether a needed node, or a layer, from a position on reads a tensor.</summary>
    private bool IsReadFrom(string tensor, int position) =>
        _index.Consumers(tensor).Any(n => n >= position && _needed[n])
        || _layers.Any(l => l.Node.Index >= position && l.Node.Input == tensor);

    /// <summary>The nodes that some layer's input depends on.</summary>
    private bool[] FindNeeded()
    {
        var needed = new bool[_index.Graph.Node.Count];
        var pending = new Stack<string>(_layers.Select(l => l.Node.Input));
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

/// <summary>A layer's input in both streams, batch by batch.</summary>
/// <param name="Float">What the float model feeds the layer.</param>
/// <param name="Quantized">What it receives once earlier layers are quantized.</param>
internal sealed record LayerInputs(IReadOnlyList<OnnxTensor> Float, IReadOnlyList<OnnxTensor> Quantized)
{
    /// <summary>Whether no earlier layer touches this one.</summary>
    public bool AreEqual => ReferenceEquals(Float[0], Quantized[0]);
}
