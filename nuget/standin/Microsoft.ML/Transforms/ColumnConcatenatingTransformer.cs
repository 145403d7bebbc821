using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>An output vector and the columns it joins; an alias, where not null, names a column's slots.</summary>
internal sealed record ConcatenatedColumn(string Name, IReadOnlyList<(string Name, string Alias)> Sources);

public sealed class ColumnConcatenatingTransformer : RowToRowTransformerBase
{
    internal ColumnConcatenatingTransformer(IHostEnvironment env, params ConcatenatedColumn[] columns)
        : base(env.Register(nameof(ColumnConcatenatingTransformer)))
    {
        Columns = columns;
    }

    internal IReadOnlyList<ConcatenatedColumn> Columns { get; }

    private protected override void SaveModel(ModelSaveContext ctx) => TransformerSaving.Save(this, ctx);

    private protected override IRowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(Host, this, schema);

    private sealed class Mapper : MapperBase
    {
        private readonly Concatenation[] _columns;

        public Mapper(IHost host, ColumnConcatenatingTransformer parent, DataViewSchema schema)
            : base(host, schema, parent)
        {
            _columns = [.. parent.Columns.Select(column => new Concatenation(host, column, schema))];
        }

        protected override DataViewSchema.DetachedColumn[] GetOutputColumnsCore() =>
            [.. _columns.Select(column => column.ToSchemaColumn())];

        protected override Delegate MakeGetter(
            DataViewRow input, int iinfo, Func<int, bool> activeOutput, out Action disposer)
        {
            disposer = null;
            return _columns[iinfo].MakeGetter(input);
        }

        private protected override Func<int, bool> GetDependenciesCore(Func<int, bool> activeOutput)
        {
            HashSet<int> needed = [.. _columns.Where((_, i) => activeOutput(i)).SelectMany(c => c.Sources.Select(s => s.Index))];
            return needed.Contains;
        }
    }
}
