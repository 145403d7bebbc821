namespace Microsoft.ML.Data;

/// <summary>The names of annotations that the library reads and writes.</summary>
internal static class AnnotationKinds
{
    public const string SlotNames = "SlotNames";
    public const string KeyValues = "KeyValues";
    public const string IsNormalized = "IsNormalized";
    public const string CategoricalSlotRanges = "CategoricalSlotRanges";

    public static bool HasScalar(this SchemaShape.Column column, string kind, DataViewType type) =>
        column.Annotations.TryFindColumn(kind, out SchemaShape.Column found)
        && found.Kind == SchemaShape.Column.VectorKind.Scalar && !found.IsKey && found.ItemType == type;

    public static bool HasVector(this SchemaShape.Column column, string kind, DataViewType itemType) =>
        column.Annotations.TryFindColumn(kind, out SchemaShape.Column found)
        && found.Kind == SchemaShape.Column.VectorKind.Vector && !found.IsKey && found.ItemType == itemType;
}
