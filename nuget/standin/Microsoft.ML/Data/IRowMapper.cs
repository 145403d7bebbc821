namespace Microsoft.ML.Data;

/// <summary>A transformer bound to an input schema: the columns it adds and how a row's values come about.</summary>
internal interface IRowMapper
{
    DataViewSchema.DetachedColumn[] GetOutputColumns();

    /// <summary>The input columns that the active ones of the added columns need.</summary>
    Func<int, bool> GetDependencies(Func<int, bool> activeOutput);

    /// <summary>One getter per added column, null where inactive. The disposer may be null.</summary>
    Delegate[] CreateGetters(DataViewRow input, Func<int, bool> activeOutput, out Action disposer);

    ITransformer GetTransformer();
}
