using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Row mappers one after another.</summary>
internal sealed class CompositeRowToRowMapper(DataViewSchema inputSchema, IRowToRowMapper[] mappers)
    : IRowToRowMapper, IDisposable
{
    private bool _disposed;

    public DataViewSchema InputSchema => inputSchema;

    public DataViewSchema OutputSchema => mappers.Length > 0 ? mappers[^1].OutputSchema : inputSchema;

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns) =>
        Enumerable.Reverse(mappers).Aggregate(dependingColumns, (columns, mapper) => mapper.GetDependencies(columns));

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        Contracts.CheckValue(input, nameof(input));
        Contracts.CheckValue(activeColumns, nameof(activeColumns));
        Contracts.CheckParam(input.Schema == inputSchema, nameof(input), "Schema did not match original schema");
        if (mappers.Length == 0)
        {
            foreach (DataViewSchema.Column column in activeColumns)
                if (!input.IsColumnActive(column))
                    throw Contracts.ExceptParam(nameof(input), $"Mapper required column '{column.Name}' active but it was not.");
            return input;
        }

        var needed = new IEnumerable<DataViewSchema.Column>[mappers.Length];
        needed[^1] = [.. activeColumns];
        for (int i = mappers.Length - 1; i > 0; i--)
            needed[i - 1] = [.. mappers[i].GetDependencies(needed[i])];
        DataViewRow row = input;
        for (int i = 0; i < mappers.Length; i++)
            row = mappers[i].GetRow(row, needed[i]);
        return row;
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        foreach (IRowToRowMapper mapper in mappers)
            (mapper as IDisposable)?.Dispose();
    }
}
