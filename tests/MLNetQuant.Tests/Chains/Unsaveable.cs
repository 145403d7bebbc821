using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetQuant.Tests.Chains;

/// <summary>A transformer of an application's own that does nothing, and does not let itself be saved.</summary>
internal sealed class Unsaveable : ITransformer
{
    public bool IsRowToRowMapper => false;

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => inputSchema;

    public IDataView Transform(IDataView input) => input;

    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => throw new NotSupportedException();

    public void Save(ModelSaveContext ctx) => throw new NotSupportedException("The vault is shut.");
}
