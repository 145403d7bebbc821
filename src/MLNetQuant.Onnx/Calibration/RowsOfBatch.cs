using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>The tensors of one batch, cut from the calibration data whenever one is asked for.</summary>
/// <param name="entries">The calibration data.</param>
/// <param name="start">First row.</param>
/// <param name="count">Number of rows.</param>
internal sealed class RowsOfBatch(IReadOnlyDictionary<string, RowsOfInput> entries, int start, int count)
    : IReadOnlyDictionary<string, OnnxTensor>
{
    public int Count => entries.Count;

    public IEnumerable<string> Keys => entries.Keys;

    public IEnumerable<OnnxTensor> Values => entries.Values.Select(e => e.Take(start, count));

    public OnnxTensor this[string key] => entries[key].Take(start, count);

    public bool ContainsKey(string key) => entries.ContainsKey(key);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out OnnxTensor value)
    {
        value = entries.TryGetValue(key, out var entry) ? entry.Take(start, count) : null;
        return value is not null;
    }

    public IEnumerator<KeyValuePair<string, OnnxTensor>> GetEnumerator() =>
        entries.Select(e => KeyValuePair.Create(e.Key, e.Value.Take(start, count))).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
