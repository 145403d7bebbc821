using MLNetQuant.Numerics;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>Chooses rows of a layer's matrix problem without replacement, the same ones in both streams.</summary>
internal sealed class RowSampler
{
    private readonly CounterRandom _random;
    private readonly int[] _available;
    private readonly int[] _quota;

    /// <param name="seed">Seed of the run.</param>
    /// <param name="layer">Index of the layer.</param>
    /// <param name="available">Rows of each batch.</param>
    /// <param name="limit">Rows to choose over all batches.</param>
    public RowSampler(int seed, int layer, IReadOnlyList<int> available, int limit)
    {
        // Rounding draws are keyed by the layer's index; sampling takes the negative numbers.
        _random = new CounterRandom(seed, -1 - layer);
        _available = [.. available];
        _quota = new int[available.Count];
        var total = available.Sum(a => (long)a);
        var taken = Math.Min(limit, total);
        long before = 0;
        for (var batch = 0; batch < _quota.Length; batch++)
        {
            var after = before + _available[batch];
            _quota[batch] = (int)((after * taken / total) - (before * taken / total));
            before = after;
        }
    }

    /// <summary>Rows chosen over all batches.</summary>
    public int Count => _quota.Sum();

    /// <summary>The chosen rows of a batch, ascending (R. W. Floyd's sampling algorithm).</summary>
    public int[] Choose(int batch)
    {
        var (n, k) = (_available[batch], _quota[batch]);
        if (k == n)
            return [.. Enumerable.Range(0, n)];
        var chosen = new HashSet<int>(k);
        for (var j = n - k; j < n; j++)
        {
            var t = (int)(_random.Uniform(batch, j) * (j + 1));
            if (!chosen.Add(t))
                chosen.Add(j);
        }

        int[] rows = [.. chosen];
        Array.Sort(rows);
        return rows;
    }
}
