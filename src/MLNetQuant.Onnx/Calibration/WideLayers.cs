using MLNetQuant.Algorithms;
using MLNetQuant.Onnx.Layers;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>
/// Layers with so many inputs that H would not fit the memory allowed: their calibration rows are kept instead, as many as fit,
/// and the algorithm works on these alone.
/// </summary>
internal sealed class WideLayers
{
    /// <summary>However small the budget, so many bytes of statistics are formed: those of 4,096 inputs.</summary>
    public const long LeastBytes = 1 << 28;

    /// <summary>However small the budget, so many rows are kept.</summary>
    private const int LeastRows = 128;

    private readonly Dictionary<ILayer, int> _rows = [];
    private readonly long _limit;

    /// <summary>Finds them, before any calibration.</summary>
    /// <exception cref="QuantizationException">A layer has no statistics that could be held, and the algorithm cannot do
    /// without.</exception>
    public WideLayers(IReadOnlyList<ILayer> layers, QuantizationOptions options)
        : this(layers, options, FreeMemory.Bytes())
    {
    }

    /// <param name="layers">The layers to quantize.</param>
    /// <param name="options">The algorithm, and the memory allowed.</param>
    /// <param name="free">Bytes of memory that are free.</param>
    internal WideLayers(IReadOnlyList<ILayer> layers, QuantizationOptions options, long free)
    {
        _limit = Math.Min(free, options.MemoryBudget is { } budget ? Math.Max(budget, LeastBytes) : long.MaxValue);
        foreach (var layer in layers.Where(l => l.ReadsRows))
        {
            var bytes = StatisticsMemory.OfMatrices(layer);
            var cannotBe = (long)layer.Layout.Inputs * layer.Layout.Inputs > Array.MaxLength;
            if (options.Algorithm.OnRowsAlone is not null && (cannotBe || bytes > _limit))
                _rows.Add(layer, (int)Math.Clamp(_limit / StatisticsMemory.OfRow(layer), Math.Min(LeastRows, options.RowsPerLayer), options.RowsPerLayer));
            else if (cannotBe || bytes > free)
                throw TooWide(layer, bytes, free, options.Algorithm);
        }
    }

    /// <summary>How many rows of a wide layer are kept at most; null for a layer with ordinary statistics.</summary>
    public int? Rows(ILayer layer) => _rows.TryGetValue(layer, out var rows) ? rows : null;

    /// <summary>The algorithm for a layer.</summary>
    public IWeightQuantizer Algorithm(ILayer layer, QuantizationOptions options) =>
        _rows.ContainsKey(layer) ? options.Algorithm.OnRowsAlone! : options.Algorithm;

    /// <summary>A sentence for each wide layer that was quantized.</summary>
    public IEnumerable<string> Warnings(IReadOnlyList<LayerReport> reports) =>
        from layer in _rows.Keys
        let report = reports.FirstOrDefault(r => r.Name == layer.Node.Name)
        where report is not null
        select FormattableString.Invariant(
            $"The statistics of layer '{report.Name}' with {report.Inputs} inputs would take {Megabytes(StatisticsMemory.OfMatrices(layer))} MB of the {Megabytes(_limit)} MB that are allowed: {report.Algorithm} worked on {report.CalibrationRows} rows alone, without what needs them (OPTQ, Qronos, descent). Allow more memory where that matters.");

    private static QuantizationException TooWide(ILayer layer, long bytes, long free, IWeightQuantizer algorithm) => new(FormattableString.Invariant(
        $"The statistics of layer '{layer.Node.Name}' with {layer.Layout.Inputs} inputs take {Megabytes(bytes)} MB, and {Megabytes(free)} MB of memory are free: choose an algorithm that works without them (best, gpfq, spfq or msq) instead of {algorithm.Name}, exclude the layer, or give the process more memory."));

    private static long Megabytes(long bytes) => bytes / 1_000_000;
}
