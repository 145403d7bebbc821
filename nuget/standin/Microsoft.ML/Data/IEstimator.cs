using Microsoft.ML.Data;

namespace Microsoft.ML;

/// <summary>A step that learns from data and becomes a transformer.</summary>
public interface IEstimator<out TTransformer>
    where TTransformer : ITransformer
{
    TTransformer Fit(IDataView input);

    SchemaShape GetOutputSchema(SchemaShape inputSchema);
}

/// <summary>A step that adds columns to a data view, lazily.</summary>
public interface ITransformer : ICanSaveModel
{
    DataViewSchema GetOutputSchema(DataViewSchema inputSchema);

    IDataView Transform(IDataView input);

    /// <summary>Whether every output row depends on one input row only.</summary>
    bool IsRowToRowMapper { get; }

    IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema);
}
