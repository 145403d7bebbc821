using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

public static class ColumnCursorExtensions
{
    public static IEnumerable<T> GetColumn<T>(this IDataView data, string columnName) =>
        GetColumn<T>(data, data.Schema[columnName]);

    /// <summary>The values of a column; vectors as arrays of their own if T is an array.</summary>
    public static IEnumerable<T> GetColumn<T>(this IDataView data, DataViewSchema.Column column)
    {
        Contracts.CheckValue(data, nameof(data));
        Contracts.CheckNonEmpty(column.Name, nameof(column));
        DataViewSchema.Column own = data.Schema[column.Index];
        if (own.Name != column.Name || own.Type != column.Type)
        {
            throw Contracts.ExceptParam(nameof(column),
                $"column with name {column.Name}, type {column.Type}, and index {column.Index} cannot be found in data");
        }
        if (column.Type.RawType == typeof(T))
            return Read<T, T>(data, column, value => value);
        if (typeof(T) == typeof(string) && column.Type is TextDataViewType)
            return (IEnumerable<T>)Read<ReadOnlyMemory<char>, string>(data, column, text => text.ToString());
        if (typeof(T).IsArray)
        {
            if (column.Type is not VectorDataViewType vector)
            {
                throw Contracts.ExceptParam(nameof(column),
                    $"Cannot load vector type, {column.Type}, specified in column to the user-defined type, {typeof(T)}.");
            }
            if (typeof(T) == typeof(string[]) && vector.ItemType is TextDataViewType)
            {
                return (IEnumerable<T>)Read<VBuffer<ReadOnlyMemory<char>>, string[]>(
                    data, column, value => Array.ConvertAll(ToArray(value), text => text.ToString()));
            }
            if (typeof(T).GetElementType() == vector.ItemType.RawType)
                return (IEnumerable<T>)TypeDispatch.Invoke(ReadArrays<int>, vector.ItemType.RawType, data, column);
        }
        throw Contracts.ExceptParam(nameof(column), $"Cannot map column (name: {column.Name}, type: {column.Type}) " +
            $"in data to the user-defined type, {typeof(T)}.");
    }

    private static object ReadArrays<TItem>(IDataView data, DataViewSchema.Column column) =>
        Read<VBuffer<TItem>, TItem[]>(data, column, ToArray);

    private static IEnumerable<TResult> Read<TValue, TResult>(
        IDataView data, DataViewSchema.Column column, Func<TValue, TResult> convert)
    {
        using DataViewRowCursor cursor = data.GetRowCursor([column]);
        ValueGetter<TValue> get = cursor.GetGetter<TValue>(column);
        TValue value = default;
        while (cursor.MoveNext())
        {
            get(ref value);
            yield return convert(value);
        }
    }

    private static TItem[] ToArray<TItem>(VBuffer<TItem> vector)
    {
        var items = new TItem[vector.Length];
        vector.CopyTo(items);
        return items;
    }
}
