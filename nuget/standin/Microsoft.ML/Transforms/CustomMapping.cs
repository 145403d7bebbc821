using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

public sealed class CustomMappingEstimator<TSrc, TDst> : TrivialEstimator<CustomMappingTransformer<TSrc, TDst>>
    where TSrc : class, new()
    where TDst : class, new()
{
    internal CustomMappingEstimator(
        IHostEnvironment env,
        Action<TSrc, TDst> mapAction,
        string contractName,
        SchemaDefinition inputSchemaDefinition = null,
        SchemaDefinition outputSchemaDefinition = null)
        : base(
            env.Register("CustomMappingEstimator"),
            new CustomMappingTransformer<TSrc, TDst>(
                env, mapAction, contractName, inputSchemaDefinition, outputSchemaDefinition))
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        var columns = new ShapeColumns(inputSchema);
        foreach (DataViewSchema.Column column in
            RowBinding.Create(typeof(TSrc), Transformer.InputSchemaDefinition).Schema)
        {
            if (!inputSchema.TryFindColumn(column.Name, out SchemaShape.Column source))
                throw Contracts.ExceptMissingColumn(null, nameof(inputSchema), "input", column.Name);
            SchemaShape.GetColumnTypeShape(column.Type, out var kind, out DataViewType itemType, out bool isKey);
            // A member whose length may vary also takes vectors of one size.
            bool fits = kind == source.Kind
                || (kind == SchemaShape.Column.VectorKind.VariableVector
                    && source.Kind == SchemaShape.Column.VectorKind.Vector);
            if (!fits || itemType != source.ItemType || isKey != source.IsKey)
            {
                throw Contracts.ExceptSchemaMismatch(null,
                    nameof(inputSchema), "input", column.Name, column.Type.ToString(), source.GetTypeString());
            }
        }
        foreach (SchemaShape.Column added in SchemaShape.Create(Transformer.AddedColumns.Schema))
            columns.Set(added);
        return columns.ToShape();
    }
}

/// <summary>Computes columns with the user's code.</summary>
public sealed class CustomMappingTransformer<TSrc, TDst> : ITransformer
    where TSrc : class, new()
    where TDst : class, new()
{
    private readonly IHost _host;
    private readonly Action<TSrc, TDst> _mapAction;
    private readonly string _contractName;

    internal CustomMappingTransformer(
        IHostEnvironment env,
        Action<TSrc, TDst> mapAction,
        string contractName,
        SchemaDefinition inputSchemaDefinition = null,
        SchemaDefinition outputSchemaDefinition = null)
    {
        _host = env.Register("CustomMappingTransformer");
        _host.CheckValue(mapAction, nameof(mapAction));
        _mapAction = mapAction;
        _contractName = contractName;
        InputSchemaDefinition = inputSchemaDefinition;
        AddedColumns = RowBinding.Create(typeof(TDst), outputSchemaDefinition, SchemaDefinition.Direction.Write);
    }

    internal SchemaDefinition InputSchemaDefinition { get; }

    internal RowBinding AddedColumns { get; }

    bool ITransformer.IsRowToRowMapper => true;

    void ICanSaveModel.Save(ModelSaveContext ctx) => throw (_contractName is null
        ? _host.Except("Empty contract name for a transform: the transform cannot be saved")
        : Contracts.ExceptLacking("saving a custom mapping"));

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        _host.CheckValue(inputSchema, nameof(inputSchema));
        return new ColumnBindings(inputSchema, new Mapper(this, inputSchema).GetOutputColumns()).Schema;
    }

    public IDataView Transform(IDataView input)
    {
        _host.CheckValue(input, nameof(input));
        return new RowToRowMapperTransform(_host, input, new Mapper(this, input.Schema));
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema)
    {
        _host.CheckValue(inputSchema, nameof(inputSchema));
        return new RowToRowMapperTransform(_host, new EmptyDataView(_host, inputSchema), new Mapper(this, inputSchema));
    }

    private sealed class Mapper(CustomMappingTransformer<TSrc, TDst> parent, DataViewSchema inputSchema) : IRowMapper
    {
        private readonly ObjectFiller<TSrc> _source =
            new(parent._host, inputSchema, ignoreMissingColumns: false, parent.InputSchemaDefinition);

        private int Count => parent.AddedColumns.Schema.Count;

        public DataViewSchema.DetachedColumn[] GetOutputColumns() =>
            [.. parent.AddedColumns.Schema.Select(c => new DataViewSchema.DetachedColumn(c))];

        public ITransformer GetTransformer() => parent;

        // The action reads the whole source object, whichever output is asked for.
        public Func<int, bool> GetDependencies(Func<int, bool> activeOutput)
        {
            HashSet<int> needed = Enumerable.Range(0, Count).Any(activeOutput) ? [.. _source.Columns.Select(c => c.Index)] : [];
            return needed.Contains;
        }

        public Delegate[] CreateGetters(DataViewRow input, Func<int, bool> activeOutput, out Action disposer)
        {
            disposer = null;
            var getters = new Delegate[Count];
            if (!Enumerable.Range(0, Count).Any(activeOutput))
                return getters;

            var row = new ObjectRow<TDst>(parent._host, parent.AddedColumns);
            Action<TSrc> fill = _source.Bind(input);
            var source = new TSrc();
            var target = new TDst();
            long position = -1;
            void Refresh()
            {
                if (position == input.Position)
                    return;
                fill(source);
                parent._mapAction(source, target);
                row.Move(target);
                position = input.Position;
            }

            for (int i = 0; i < getters.Length; i++)
                if (activeOutput(i))
                    getters[i] = TypeDispatch.Invoke(GetterOf<int>, row.Schema[i].Type.RawType, row, i, (Action)Refresh);
            return getters;
        }

        private static Delegate GetterOf<TValue>(ObjectRow<TDst> row, int column, Action refresh)
        {
            ValueGetter<TValue> get = row.GetGetter<TValue>(row.Schema[column]);
            return new ValueGetter<TValue>((ref TValue value) =>
            {
                refresh();
                get(ref value);
            });
        }
    }
}
