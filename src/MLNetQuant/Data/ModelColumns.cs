using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Onnx;

namespace MLNetQuant.Data;

/// <summary>The inputs and outputs of a model that a step reads and adds as columns of the same names.</summary>
internal sealed class ModelColumns
{
    private readonly OnnxModel _model;
    private readonly IReadOnlyList<OnnxValueInfo> _inputs;

    /// <param name="model">The model.</param>
    /// <param name="inputs">Columns to read, none or <see langword="null"/> for all of the model's inputs.</param>
    /// <param name="outputs">Columns to add, none or <see langword="null"/> for all of the model's outputs.</param>
    /// <param name="shapes">Shapes that replace those of inputs, −1 or 0 for an open extent; <see langword="null"/> for none.</param>
    /// <exception cref="QuantizationException">A name is no input or output, is given twice, or an input is left out or cannot be fed.</exception>
    public ModelColumns(
        OnnxModel model, string[]? inputs, string[]? outputs, IReadOnlyDictionary<string, IReadOnlyList<int>>? shapes = null)
    {
        _model = model;
        _inputs = [.. model.Inputs.Select(i => shapes?.GetValueOrDefault(i.Name) is { } shape
            ? i with { Shape = [.. shape.Select(d => d > 0 ? d : -1L)] }
            : i)];
        Inputs = inputs is null or [] ? [.. model.Inputs.Select(i => i.Name)] : inputs;
        Outputs = outputs is null or [] ? [.. model.Outputs.Where(o => o.IsColumn).Select(o => o.Name)] : outputs;
        CheckNames(Inputs, model.Inputs, "input", "it takes");
        CheckNames(Outputs, model.Outputs, "output", "it has");
        if (model.Inputs.FirstOrDefault(i => !Inputs.Contains(i.Name)) is { } unfed)
        {
            throw new QuantizationException(
                $"No column feeds the input '{unfed.Name}' of the model '{model.Name}': name it among the input columns.");
        }

        foreach (var input in _inputs)
            CheckInput(input);
    }

    /// <summary>Names of the columns to read.</summary>
    public string[] Inputs { get; }

    /// <summary>Names of the columns to add.</summary>
    public string[] Outputs { get; }

    /// <summary>Checks the columns that an estimator is promised.</summary>
    /// <exception cref="QuantizationException">A column is missing or of another type.</exception>
    public void Check(SchemaShape shape)
    {
        foreach (var name in Inputs)
        {
            // Shapes do not tell hidden columns: as in ML.NET the name stands for one column.
            SchemaShape.Column[] found = [.. shape.Where(c => c.Name == name)];
            if (found.Length == 0)
                throw Missing(name, shape.Select(c => c.Name));
            var item = ItemOf(name);
            if (!item.Type.Equals(found[^1].ItemType))
                throw WrongType(name, found[^1].ItemType, item);
        }
    }

    /// <summary>Finds the columns in data.</summary>
    /// <exception cref="QuantizationException">A column is missing, of another type, or of another width.</exception>
    public IReadOnlyList<BoundColumn> Bind(DataViewSchema schema) => [.. Inputs.Select(name =>
    {
        var column = schema.GetColumnOrNull(name) ?? throw Missing(name, schema.Select(c => c.Name));
        var item = ItemOf(name);
        if (!item.Accepts((column.Type as VectorDataViewType)?.ItemType ?? column.Type))
            throw WrongType(name, column.Type, item);
        return new BoundColumn(column, InputOf(name), item);
    })];

    /// <summary>A schema of columns that fit the model.</summary>
    public DataViewSchema FittingSchema()
    {
        var builder = new DataViewSchema.Builder();
        foreach (var name in Inputs)
        {
            var width = InputOf(name).Shape!.Where(d => d > 0).Aggregate(1L, (a, b) => a * b);
            builder.AddColumn(name, new VectorDataViewType(ItemOf(name).Type, checked((int)width)));
        }

        return builder.ToSchema();
    }

    private void CheckNames(string[] names, IReadOnlyList<OnnxValueInfo> known, string kind, string has)
    {
        if (names.FirstOrDefault(n => known.All(k => k.Name != n)) is { } stray)
        {
            throw new QuantizationException(
                $"The model '{_model.Name}' has no {kind} '{stray}' ({has} {Listed(known.Select(k => k.Name))}): name the {kind} columns as its {kind}s.");
        }

        if (names.GroupBy(n => n).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new QuantizationException($"The {kind} column '{twice.Key}' is named twice: name it once.");
    }

    private void CheckInput(OnnxValueInfo input)
    {
        if (ColumnItem.For(input) is null)
        {
            throw new QuantizationException(
                $"The input '{input.Name}' of the model '{_model.Name}' is {input.Text}, which ML.NET columns cannot feed: use a model with tensors of numbers.");
        }

        if (input.Shape is null || input.Shape.Count == 0)
        {
            throw new QuantizationException(
                $"The input '{input.Name}' is {input.Text}, whose rows ML.NET cannot feed: give the model a shape with rows along the first axis.");
        }

        if (input.Shape.Skip(1).Count(d => d < 0) > 1)
        {
            throw new QuantizationException(
                $"The input '{input.Name}' is {input.Text}, and ML.NET can feed an input with one open axis after the first: fix the others in the model.");
        }
    }

    private OnnxValueInfo InputOf(string name) => _inputs.First(i => i.Name == name);

    private ColumnItem ItemOf(string name) => ColumnItem.For(InputOf(name))!;

    private QuantizationException Missing(string name, IEnumerable<string> columns) => new(
        $"The data has no column '{name}', an input of the model '{_model.Name}' (it has {Listed(columns)}): add it, for example with CopyColumns.");

    private QuantizationException WrongType(string name, DataViewType actual, ColumnItem item) => new(
        $"The column '{name}' is {actual}, and the model's input is {InputOf(name).Text}: convert the column to {item.Type}, for example with ConvertType.");

    private static string Listed(IEnumerable<string> names) => string.Join(", ", names.Select(n => $"'{n}'"));
}
