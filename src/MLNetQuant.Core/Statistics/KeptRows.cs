namespace MLNetQuant.Statistics;

/// <summary>Rows of both streams as they arrive; one copy while the streams are the same.</summary>
internal sealed class KeptRows
{
    private readonly List<float> _float = [];
    private List<float>? _quantized; // once the streams have differed

    public void Add(ReadOnlySpan<float> floatRows, ReadOnlySpan<float> quantizedRows, bool equal)
    {
        if (!equal)
            _quantized ??= [.. _float];
        _float.AddRange(floatRows);
        _quantized?.AddRange(quantizedRows);
    }

    /// <summary>X and X̃, rows × inputs; the same array while the streams are the same.</summary>
    public (float[] Float, float[] Quantized) ToArrays()
    {
        float[] x = [.. _float];
        return (x, _quantized is null ? x : [.. _quantized]);
    }
}
