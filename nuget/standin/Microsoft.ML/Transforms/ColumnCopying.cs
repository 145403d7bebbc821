using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

public sealed class ColumnCopyingEstimator : TrivialEstimator<ColumnCopyingTransformer>
{
    internal ColumnCopyingEstimator(
        IHostEnvironment env, params (string outputColumnName, string inputColumnName)[] columns)
        : base(env.Register(nameof(ColumnCopyingEstimator)), new ColumnCopyingTransformer(env, columns))
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        var columns = new ShapeColumns(inputSchema);
        foreach ((string output, string input) in Transformer.ColumnPairs)
        {
            if (!inputSchema.TryFindColumn(input, out SchemaShape.Column source))
                throw Host.ExceptMissingColumn(nameof(inputSchema), "input", input);
            columns.Set(new SchemaShape.Column(output, source.Kind, source.ItemType, source.IsKey, source.Annotations));
        }
        return columns.ToShape();
    }
}

public sealed class ColumnCopyingTransformer : OneToOneTransformerBase
{
    internal ColumnCopyingTransformer(
        IHostEnvironment env, params (string outputColumnName, string inputColumnName)[] columns)
        : base(env.Register(nameof(ColumnCopyingTransformer)), columns)
    {
    }

    private protected override void SaveModel(ModelSaveContext ctx) => TransformerSaving.Save(this, ctx);

    private protected override IRowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(Host, this, schema);

    private sealed class Mapper(IHost host, ColumnCopyingTransformer parent, DataViewSchema schema)
        : OneToOneMapperBase(host, parent, schema)
    {
        protected override DataViewSchema.DetachedColumn[] GetOutputColumnsCore() =>
            [.. parent.ColumnPairs.Zip(Sources, (pair, source) => new DataViewSchema.DetachedColumn(
                pair.outputColumnName, InputSchema[source].Type, InputSchema[source].Annotations))];

        protected override Delegate MakeGetter(
            DataViewRow input, int iinfo, Func<int, bool> activeOutput, out Action disposer)
        {
            disposer = null;
            DataViewSchema.Column column = input.Schema[Sources[iinfo]];
            return TypeDispatch.Invoke(GetterOf<int>, column.Type.RawType, input, column);
        }

        private static Delegate GetterOf<TValue>(DataViewRow row, DataViewSchema.Column column) =>
            row.GetGetter<TValue>(column);
    }
}
