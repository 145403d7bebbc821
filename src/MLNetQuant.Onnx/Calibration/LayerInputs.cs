namespace MLNetQuant.Onnx.Calibration;

/// <summary>A layer's input in both streams, and its float outputs, batch by batch.</summary>
/// <param name="Float">What the float model feeds the layer.</param>
/// <param name="Quantized">What it receives once earlier layers are quantized: the same objects where nothing is quantized
/// before it.</param>
internal sealed record LayerInputs(IReadOnlyList<ITensorSource> Float, IReadOnlyList<ITensorSource> Quantized)
{
    /// <summary>What the layer's node puts out in the float model, bias included; null where that is of no use.</summary>
    public IReadOnlyList<ITensorSource>? FloatOutputs { get; init; }

    /// <summary>Whether no earlier layer touches this one.</summary>
    public bool AreEqual { get; } = Float.SequenceEqual(Quantized);

    /// <summary>All tensors.</summary>
    public IEnumerable<ITensorSource> All => [.. Float, .. Quantized, .. FloatOutputs ?? []];

    /// <summary>These batches, then those of another node with the same weight.</summary>
    public LayerInputs With(LayerInputs other) => new([.. Float, .. other.Float], [.. Quantized, .. other.Quantized]);

    /// <summary>Reads one batch as float32 numbers.</summary>
    public LayerBatch Read(int batch)
    {
        var values = Float[batch].Read().ToFloats();
        var quantized = ReferenceEquals(Float[batch], Quantized[batch]) ? values : Quantized[batch].Read().ToFloats();
        return new(values, quantized, FloatOutputs?[batch].Read());
    }
}

/// <summary>One batch of <see cref="LayerInputs"/> in memory.</summary>
/// <param name="Float">The layer's input in the float stream.</param>
/// <param name="Quantized">Its input in the quantized stream.</param>
/// <param name="FloatOutput">Its float output; null where that is of no use.</param>
internal sealed record LayerBatch(OnnxTensor Float, OnnxTensor Quantized, OnnxTensor? FloatOutput);

/// <summary>The batches that pieces of work share: each is read by the first piece and let go after the last.</summary>
/// <param name="inputs">The batches.</param>
/// <param name="pieces">The batch of each piece.</param>
internal sealed class SharedBatches(LayerInputs inputs, IEnumerable<int> pieces)
{
    private readonly Dictionary<int, Share> _shares = pieces.CountBy(b => b).ToDictionary(b => b.Key, b => new Share(inputs, b.Key, b.Value));

    /// <summary>Does one piece of work on a batch.</summary>
    public void Use(int batch, Action<LayerBatch> work) => _shares[batch].Use(work);

    private sealed class Share(LayerInputs inputs, int batch, int uses)
    {
        private Lazy<LayerBatch>? _batch = new(() => inputs.Read(batch));
        private int _left = uses;

        public void Use(Action<LayerBatch> work)
        {
            work(_batch!.Value);
            if (Interlocked.Decrement(ref _left) == 0)
                _batch = null;
        }
    }
}
