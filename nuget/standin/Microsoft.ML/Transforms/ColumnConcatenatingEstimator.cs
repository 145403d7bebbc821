using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

public sealed class ColumnConcatenatingEstimator : IEstimator<ColumnConcatenatingTransformer>
{
    private readonly IHost _host;
    private readonly string _output;
    private readonly string[] _inputs;

    internal ColumnConcatenatingEstimator(IHostEnvironment env, string outputColumnName, params string[] inputColumnNames)
    {
        _host = env.Register(nameof(ColumnConcatenatingEstimator));
        _host.CheckNonEmpty(outputColumnName, nameof(outputColumnName));
        _host.CheckValue(inputColumnNames, nameof(inputColumnNames));
        _host.CheckParam(inputColumnNames.Length > 0, nameof(inputColumnNames), "Input columns not specified");
        _host.CheckParam(!inputColumnNames.Any(string.IsNullOrEmpty), nameof(inputColumnNames),
            "Contained some null or empty items");
        _output = outputColumnName;
        _inputs = inputColumnNames;
    }

    public ColumnConcatenatingTransformer Fit(IDataView input)
    {
        _host.CheckValue(input, nameof(input));
        return new ColumnConcatenatingTransformer(_host, new ConcatenatedColumn(_output, [.. _inputs.Select(i => (i, (string)null))]));
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        _host.CheckValue(inputSchema, nameof(inputSchema));
        var columns = new ShapeColumns(inputSchema);
        columns.Set(OutputShape(inputSchema));
        return columns.ToShape();
    }

    private SchemaShape.Column OutputShape(SchemaShape inputSchema)
    {
        var sources = new SchemaShape.Column[_inputs.Length];
        for (int i = 0; i < sources.Length; i++)
        {
            if (!inputSchema.TryFindColumn(_inputs[i], out sources[i]))
                throw _host.ExceptMissingColumn(nameof(inputSchema), "input", _inputs[i]);
            if (sources[i].IsKey)
                throw _host.Except($"Column '{_inputs[i]}' is key. Concatenation of keys is unsupported.");
            if (!sources[i].ItemType.Equals(sources[0].ItemType))
            {
                throw _host.Except($"Concatenated columns should have the same type. Column '{_inputs[i]}' has type of " +
                    $"{sources[i].ItemType}, but expected column type is {sources[0].ItemType}.");
            }
        }

        var annotations = new List<SchemaShape.Column>();
        if (sources.All(s => s.HasScalar(AnnotationKinds.IsNormalized, BooleanDataViewType.Instance)))
        {
            annotations.Add(new SchemaShape.Column(AnnotationKinds.IsNormalized,
                SchemaShape.Column.VectorKind.Scalar, BooleanDataViewType.Instance, isKey: false));
        }
        if (sources.Any(s => s.HasVector(AnnotationKinds.CategoricalSlotRanges, NumberDataViewType.Int32)))
        {
            annotations.Add(new SchemaShape.Column(AnnotationKinds.CategoricalSlotRanges,
                SchemaShape.Column.VectorKind.Vector, NumberDataViewType.Int32, isKey: false));
        }
        if (sources.Any(s => s.Kind == SchemaShape.Column.VectorKind.Scalar
            || (s.Kind == SchemaShape.Column.VectorKind.Vector
                && s.HasVector(AnnotationKinds.SlotNames, TextDataViewType.Instance))))
        {
            annotations.Add(new SchemaShape.Column(AnnotationKinds.SlotNames,
                SchemaShape.Column.VectorKind.Vector, TextDataViewType.Instance, isKey: false));
        }
        bool variable = sources.Any(s => s.Kind == SchemaShape.Column.VectorKind.VariableVector);
        return new SchemaShape.Column(_output,
            variable ? SchemaShape.Column.VectorKind.VariableVector : SchemaShape.Column.VectorKind.Vector,
            sources[0].ItemType, isKey: false, new SchemaShape(annotations));
    }
}
