using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetQuant.Tests.Data;

/// <summary>Schemas as text: names, types, and annotations with their values, slot names among them.</summary>
internal static class SchemaText
{
    private static readonly MethodInfo ScalarMethod = Method(nameof(Scalar));
    private static readonly MethodInfo VectorMethod = Method(nameof(Vector));

    public static string Describe(DataViewSchema schema) => string.Join(
        '\n', schema.Select(c => $"{c.Name} {c.Type} {c.IsHidden} {string.Join(", ", c.Annotations.Schema.Select(a => $"{a.Name} {a.Type} = {Value(c.Annotations, a)}"))}"));

    private static string Value(DataViewSchema.Annotations annotations, DataViewSchema.Column column) => (string)(column.Type is VectorDataViewType vector
        ? VectorMethod.MakeGenericMethod(vector.ItemType.RawType)
        : ScalarMethod.MakeGenericMethod(column.Type.RawType)).Invoke(null, [annotations, column.Name])!;

    private static string Scalar<T>(DataViewSchema.Annotations annotations, string name)
    {
        T value = default!;
        annotations.GetValue(name, ref value);
        return $"{value}";
    }

    private static string Vector<T>(DataViewSchema.Annotations annotations, string name)
    {
        VBuffer<T> values = default;
        annotations.GetValue(name, ref values);
        return string.Join('|', values.DenseValues());
    }

    private static MethodInfo Method(string name) => typeof(SchemaText).GetMethod(name, BindingFlags.NonPublic | BindingFlags.Static)!;
}
