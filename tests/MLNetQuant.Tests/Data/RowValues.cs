using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetQuant.Tests.Data;

/// <summary>The rows of a view as objects: position, batch, id, and the values asked for, vectors as arrays.</summary>
internal static class RowValues
{
    /// <summary>Largest difference over the largest value of a row that sums in another order may make.</summary>
    private const float Tolerance = 1e-5f;

    public static List<object[]> Of(IDataView view, params string[] columns)
    {
        DataViewSchema.Column[] asked = columns.Length == 0 ? [.. view.Schema] : [.. columns.Select(c => view.Schema[c])];
        using var cursor = view.GetRowCursor(asked);
        return Of(cursor, asked);
    }

    public static List<object[]> Of(DataViewRowCursor cursor, IReadOnlyList<DataViewSchema.Column> columns, int limit = int.MaxValue)
    {
        var id = cursor.GetIdGetter();
        Func<object>[] read = [.. columns.Select(c => Reader(cursor, c))];
        var rows = new List<object[]>();
        while (rows.Count < limit && cursor.MoveNext())
        {
            DataViewRowId rowId = default;
            id(ref rowId);
            rows.Add([cursor.Position, rowId, .. read.Select(r => r())]);
        }

        return rows;
    }

    /// <summary>Equal rows; floats up to the order of sums.</summary>
    public static void AssertNear(IReadOnlyList<object[]> expected, IReadOnlyList<object[]> actual, float tolerance = Tolerance)
    {
        Assert.Equal(expected.Count, actual.Count);
        foreach (var (row, (wanted, given)) in expected.Zip(actual).Index())
        {
            Assert.Equal(wanted.Length, given.Length);
            foreach (var (value, other) in wanted.Zip(given))
            {
                if (value is not float[] floats)
                {
                    Assert.Equal(value, other);
                    continue;
                }

                var others = Assert.IsType<float[]>(other);
                Assert.Equal(floats.Length, others.Length);
                var allowed = tolerance * floats.Append(0).Max(MathF.Abs);
                for (var i = 0; i < floats.Length; i++)
                    Assert.True(MathF.Abs(floats[i] - others[i]) <= allowed, $"row {row}, value {i}: {floats[i]} and {others[i]}");
            }
        }
    }

    private static Func<object> Reader(DataViewRow row, DataViewSchema.Column column)
    {
        var (name, type) = column.Type is VectorDataViewType vector ? (nameof(Vector), vector.ItemType.RawType) : (nameof(Single), column.Type.RawType);
        return (Func<object>)typeof(RowValues).GetMethod(name, BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(type).Invoke(null, [row, column])!;
    }

    private static Func<object> Single<T>(DataViewRow row, DataViewSchema.Column column)
    {
        var get = row.GetGetter<T>(column);
        T value = default!;
        return () =>
        {
            get(ref value);
            return value is ReadOnlyMemory<char> text ? text.ToString() : value!;
        };
    }

    private static Func<object> Vector<T>(DataViewRow row, DataViewSchema.Column column)
    {
        var get = row.GetGetter<VBuffer<T>>(column);
        VBuffer<T> value = default;
        return () =>
        {
            get(ref value);
            T[] items = [.. value.DenseValues()];
            return items is ReadOnlyMemory<char>[] texts ? Array.ConvertAll(texts, t => t.ToString()) : items;
        };
    }
}
