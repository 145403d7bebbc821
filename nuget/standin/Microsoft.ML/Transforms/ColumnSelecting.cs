using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

public sealed class ColumnSelectingEstimator : TrivialEstimator<ColumnSelectingTransformer>
{
    internal ColumnSelectingEstimator(
        IHostEnvironment env, string[] keepColumns, string[] dropColumns, bool keepHidden = false, bool ignoreMissing = false)
        : base(
            env.Register(nameof(ColumnSelectingEstimator)),
            new ColumnSelectingTransformer(env, keepColumns, dropColumns, keepHidden, ignoreMissing))
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        Transformer.CheckSelected(inputSchema.Select(c => c.Name), nameof(inputSchema));
        return new SchemaShape(inputSchema.Where(
            c => Transformer.SelectColumns.Contains(c.Name) == Transformer.KeepColumns));
    }
}

/// <summary>Keeps the selected columns, in the order given, or drops them.</summary>
public sealed class ColumnSelectingTransformer : ITransformer
{
    private readonly IHost _host;

    internal ColumnSelectingTransformer(
        IHostEnvironment env, string[] keepColumns, string[] dropColumns, bool keepHidden = false, bool ignoreMissing = false)
    {
        _host = env.Register(nameof(ColumnSelectingTransformer));
        bool keep = keepColumns is { Length: > 0 };
        bool drop = dropColumns is { Length: > 0 };
        _host.Check(!(keep && drop), "Both keepColumns and dropColumns are set. Exactly one can be specified.");
        _host.Check(keep || drop, "Neither keepColumns and dropColumns is set. Exactly one must be specified.");
        SelectColumns = keep ? keepColumns : dropColumns;
        KeepColumns = keep;
        KeepHidden = keepHidden;
        IgnoreMissing = ignoreMissing;
    }

    internal IReadOnlyList<string> SelectColumns { get; }

    /// <summary>Whether the selected columns are kept; otherwise they are dropped.</summary>
    internal bool KeepColumns { get; }

    internal bool KeepHidden { get; }

    internal bool IgnoreMissing { get; }

    bool ITransformer.IsRowToRowMapper => true;

    void ICanSaveModel.Save(ModelSaveContext ctx) => TransformerSaving.Save(this, ctx);

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        _host.CheckValue(inputSchema, nameof(inputSchema));
        CheckSelected(inputSchema.Select(c => c.Name), nameof(inputSchema));
        return Bind(new EmptyDataView(_host, inputSchema)).Schema;
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        _host.CheckValue(inputSchema, nameof(inputSchema));
        CheckSelected(inputSchema.Select(c => c.Name), nameof(inputSchema));
        return Bind(new EmptyDataView(_host, inputSchema));
    }

    public IDataView Transform(IDataView input)
    {
        _host.CheckValue(input, nameof(input));
        CheckSelected(input.Schema.Select(c => c.Name), nameof(input));
        return Bind(input);
    }

    internal void CheckSelected(IEnumerable<string> names, string parameter)
    {
        string[] missing = IgnoreMissing ? [] : [.. SelectColumns.Where(name => !names.Contains(name))];
        if (missing.Length > 0)
            throw _host.ExceptMissingColumn(parameter, "input", string.Join(",", missing));
    }

    private ColumnSelectingView Bind(IDataView input)
    {
        IEnumerable<DataViewSchema.Column> columns = KeepColumns
            ? SelectColumns.SelectMany(name => input.Schema.Where(c => c.Name == name && (KeepHidden || !c.IsHidden)))
            : input.Schema.Where(c => !SelectColumns.Contains(c.Name));
        return new ColumnSelectingView(_host, input, [.. columns.Select(c => c.Index)]);
    }
}
