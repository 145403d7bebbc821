using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Which columns of a schema are asked for.</summary>
internal static class ColumnSelection
{
    public const string NoCurrentRow = "Values cannot be fetched at this time. This method was called either before " +
        "the first call to MoveNext, or at any point after that method returned false.";

    public static Func<int, bool> ToPredicate(this IEnumerable<DataViewSchema.Column> columnsNeeded, DataViewSchema schema)
    {
        Contracts.CheckValue(columnsNeeded, nameof(columnsNeeded));
        var needed = new bool[schema.Count];
        foreach (DataViewSchema.Column column in columnsNeeded)
        {
            if (column.Index >= needed.Length)
                throw Contracts.Except($"The requested column: {column} is not part of the sourceSchema");
            needed[column.Index] = true;
        }
        return index => needed[index];
    }

    /// <summary>The getter as the type that was asked for, or the exception of ML.NET.</summary>
    public static ValueGetter<TValue> Typed<TValue>(this Delegate getter) => getter as ValueGetter<TValue>
        ?? throw Contracts.Except($"Invalid TValue in GetGetter: '{typeof(TValue)}', " +
            $"expected type: '{getter.GetType().GetGenericArguments()[0]}'.");
}
