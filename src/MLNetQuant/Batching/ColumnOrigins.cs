using Microsoft.ML;

namespace MLNetQuant.Batching;

/// <summary>
/// Where the columns of a scored view come from. ML.NET keeps the input columns in order; an added column stands at the
/// end, or right behind the last input column of its name, which it hides.
/// </summary>
internal sealed class ColumnOrigins
{
    private readonly int[] _sources;

    public ColumnOrigins(DataViewSchema input, DataViewSchema output)
    {
        _sources = new int[output.Count];
        var next = 0;
        for (var column = 0; column < output.Count; column++)
            _sources[column] = next < input.Count && output[column].Name == input[next].Name ? next++ : -1;
        Added = [.. output.Where(c => _sources[c.Index] < 0)];
    }

    /// <summary>The columns that the step adds.</summary>
    public IReadOnlyList<DataViewSchema.Column> Added { get; }

    /// <summary>The input column behind a column, or −1 for an added one.</summary>
    public int SourceOf(int column) => _sources[column];
}
