namespace Microsoft.ML.Data;

/// <summary>The columns of a shape, in order, with added and replaced ones.</summary>
internal sealed class ShapeColumns(SchemaShape shape)
{
    // Not by index: a repeated name in the shape is an error, as in ML.NET.
    private readonly Dictionary<string, SchemaShape.Column> _columns = shape.ToDictionary(column => column.Name);

    public void Set(SchemaShape.Column column) => _columns[column.Name] = column;

    public SchemaShape ToShape() => new(_columns.Values);
}
