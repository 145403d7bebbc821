namespace Microsoft.ML.Data;

/// <summary>
/// An input schema with added columns. One whose name is new goes to the end; one that hides an input column goes
/// right behind it.
/// </summary>
internal sealed class ColumnBindings
{
    // Per column of the schema: an input column, or the complement of the number of an added one.
    private readonly int[] _origins;

    public ColumnBindings(DataViewSchema input, DataViewSchema.DetachedColumn[] added)
    {
        InputSchema = input;
        var origins = Enumerable.Range(0, input.Count).ToList();
        string NameOf(int origin) => origin >= 0 ? input[origin].Name : added[~origin].Name;
        for (int i = 0; i < added.Length; i++)
        {
            int hidden = origins.FindLastIndex(origin => NameOf(origin) == added[i].Name);
            origins.Insert(hidden < 0 ? origins.Count : hidden + 1, ~i);
        }

        var builder = new DataViewSchema.Builder();
        builder.AddColumns(origins.Select(o => o >= 0 ? new DataViewSchema.DetachedColumn(input[o]) : added[~o]));
        Schema = builder.ToSchema();
        _origins = [.. origins];
        AddedColumnIndices = [.. Enumerable.Range(0, added.Length).Select(i => origins.IndexOf(~i))];
    }

    public DataViewSchema InputSchema { get; }

    public DataViewSchema Schema { get; }

    public IReadOnlyList<int> AddedColumnIndices { get; }

    /// <summary>The input column, or the number of the added column, behind a column of the schema.</summary>
    public int MapColumnIndex(out bool isInput, int column)
    {
        int origin = _origins[column];
        isInput = origin >= 0;
        return isInput ? origin : ~origin;
    }

    /// <summary>The input columns that are passed through as active columns.</summary>
    public bool[] GetActiveInput(Func<int, bool> active)
    {
        var input = new bool[InputSchema.Count];
        for (int column = 0; column < _origins.Length; column++)
            if (_origins[column] >= 0 && active(column))
                input[_origins[column]] = true;
        return input;
    }
}
