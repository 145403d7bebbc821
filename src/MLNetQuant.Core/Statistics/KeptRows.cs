namespace MLNetQuant.Statistics;

/// <summary>Rows of both streams as they arrive; one copy while the streams are the same.</summary>
internal sealed class KeptRows
{
    private readonly List<float> _float = [];
    private List<float>? _quantized;      // once the streams have differed
    private List<float>? _outputs = [];   // as long as all rows came with theirs

    /// <param name="floatRows">Rows of X.</param>
    /// <param name="quantizedRows">The same rows of X̃.</param>
    /// <param name="outputs">The same rows of XW; empty where they are not known.</param>
    /// <param name="equal">Whether X̃ = X.</param>
    public void Add(ReadOnlySpan<float> floatRows, ReadOnlySpan<float> quantizedRows, ReadOnlySpan<float> outputs, bool equal)
    {
        if (!equal)
            _quantized ??= [.. _float];
        if (outputs.IsEmpty)
            _outputs = null;
        _float.AddRange(floatRows);
        _quantized?.AddRange(quantizedRows);
        _outputs?.AddRange(outputs);
    }

    /// <summary>X and X̃, rows × inputs, the same array while the streams are the same; XW or null.</summary>
    public (float[] Float, float[] Quantized, float[]? Outputs) ToArrays()
    {
        float[] x = [.. _float];
        return (x, _quantized is null ? x : [.. _quantized], _outputs is null ? null : [.. _outputs]);
    }
}
