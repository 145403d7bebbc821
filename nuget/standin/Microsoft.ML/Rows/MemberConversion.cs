using System.Linq.Expressions;
using System.Reflection;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Between the values of a member (arrays, strings) and those of a column (vectors, text).</summary>
internal static class MemberConversion
{
    public static Func<TRow, TValue> Reader<TRow, TValue>(MemberInfo member)
    {
        ParameterExpression row = Expression.Parameter(typeof(TRow));
        return Expression.Lambda<Func<TRow, TValue>>(Expression.MakeMemberAccess(row, member), row).Compile();
    }

    public static Action<TRow, TValue> Writer<TRow, TValue>(MemberInfo member)
    {
        if (member is FieldInfo { IsInitOnly: true } field)
            return (row, value) => field.SetValue(row, value);
        ParameterExpression target = Expression.Parameter(typeof(TRow));
        ParameterExpression source = Expression.Parameter(typeof(TValue));
        BinaryExpression assignment = Expression.Assign(Expression.MakeMemberAccess(target, member), source);
        return Expression.Lambda<Action<TRow, TValue>>(assignment, target, source).Compile();
    }

    /// <summary>A getter of the column's raw type over values of the member's type.</summary>
    public static Delegate ToColumn<TMember>(Func<TMember> read, DataViewType columnType)
    {
        Type type = typeof(TMember);
        if (read is Func<string[]> texts)
            return TextsToColumn(texts);
        if (read is Func<string> text)
            return new ValueGetter<ReadOnlyMemory<char>>((ref ReadOnlyMemory<char> value) => value = text().AsMemory());
        if (type.IsArray)
            return TypeDispatch.Invoke(ArrayToColumn<int>, type.GetElementType(), (Delegate)read);
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(VBuffer<>))
            return TypeDispatch.Invoke(VectorToColumn<int>, type.GetGenericArguments()[0], (Delegate)read);
        if (columnType is KeyDataViewType key)
            return KeyToColumn(read, key);
        return new ValueGetter<TMember>((ref TMember value) => value = read());
    }

    /// <summary>Writes the current value of a row's column into the member of an object.</summary>
    public static Action<TRow> FromColumn<TRow, TMember>(DataViewRow input, DataViewSchema.Column column, MemberInfo member)
    {
        Type type = typeof(TMember);
        Delegate write = Writer<TRow, TMember>(member);
        if (write is Action<TRow, string> writeText)
        {
            ValueGetter<ReadOnlyMemory<char>> getText = input.GetGetter<ReadOnlyMemory<char>>(column);
            ReadOnlyMemory<char> text = default;
            return row =>
            {
                getText(ref text);
                writeText(row, text.ToString());
            };
        }
        Delegate read = type.IsArray || column.Type is VectorDataViewType ? Reader<TRow, TMember>(member) : null;
        if (write is Action<TRow, string[]> writeTexts)
            return TextsFromColumn(input, column, (Func<TRow, string[]>)read, writeTexts);
        if (type.IsArray)
            return Dispatch<TRow>(nameof(ArrayFromColumn), type.GetElementType(), input, column, read, write);
        if (read is not null)
            return VectorFromColumn(input, column, (Func<TRow, TMember>)read, (Action<TRow, TMember>)write);
        ValueGetter<TMember> get = input.GetGetter<TMember>(column);
        TMember value = default;
        return row =>
        {
            get(ref value);
            ((Action<TRow, TMember>)write)(row, value);
        };
    }

    private static Delegate TextsToColumn(Func<string[]> read) => new ValueGetter<VBuffer<ReadOnlyMemory<char>>>(
        (ref VBuffer<ReadOnlyMemory<char>> value) =>
        {
            string[] texts = read() ?? [];
            VBufferEditor<ReadOnlyMemory<char>> editor = VBufferEditor.Create(ref value, texts.Length);
            for (int i = 0; i < texts.Length; i++)
                editor.Values[i] = texts[i].AsMemory();
            value = editor.Commit();
        });

    private static Delegate ArrayToColumn<TItem>(Delegate read) => new ValueGetter<VBuffer<TItem>>(
        (ref VBuffer<TItem> value) =>
        {
            TItem[] items = ((Func<TItem[]>)read)() ?? [];
            VBuffer<TItem>.Copy(items, 0, ref value, items.Length);
        });

    private static Delegate VectorToColumn<TItem>(Delegate read) => new ValueGetter<VBuffer<TItem>>(
        (ref VBuffer<TItem> value) => ((Func<VBuffer<TItem>>)read)().CopyTo(ref value));

    // A row object counts keys from 0; a column from 1, with 0 for a missing value.
    private static Delegate KeyToColumn<TKey>(Func<TKey> read, KeyDataViewType type)
    {
        if (typeof(TKey) == typeof(ushort))
            throw new InvalidOperationException();
        return new ValueGetter<TKey>((ref TKey value) =>
        {
            ulong key = Convert.ToUInt64(read());
            value = (TKey)Convert.ChangeType(key < type.Count ? key + 1 : 0, typeof(TKey));
        });
    }

    private static Action<TRow> TextsFromColumn<TRow>(
        DataViewRow input, DataViewSchema.Column column, Func<TRow, string[]> read, Action<TRow, string[]> write)
    {
        ValueGetter<VBuffer<ReadOnlyMemory<char>>> get = input.GetGetter<VBuffer<ReadOnlyMemory<char>>>(column);
        VBuffer<ReadOnlyMemory<char>> value = default;
        return row =>
        {
            get(ref value);
            string[] texts = read(row);
            if ((texts?.Length ?? 0) != value.Length)
                texts = new string[value.Length];
            foreach ((int slot, ReadOnlyMemory<char> text) in value.Items(all: true))
                texts[slot] = text.ToString();
            write(row, texts);
        };
    }

    private static Action<TRow> ArrayFromColumn<TRow, TItem>(
        DataViewRow input, DataViewSchema.Column column, Func<TRow, TItem[]> read, Action<TRow, TItem[]> write)
    {
        ValueGetter<VBuffer<TItem>> get = input.GetGetter<VBuffer<TItem>>(column);
        VBuffer<TItem> value = default;
        return row =>
        {
            TItem[] items = read(row);
            get(ref value);
            if ((items?.Length ?? 0) != value.Length || !value.IsDense)
                items = new TItem[value.Length];
            value.CopyTo(items);
            write(row, items);
        };
    }

    private static Action<TRow> VectorFromColumn<TRow, TVector>(
        DataViewRow input, DataViewSchema.Column column, Func<TRow, TVector> read, Action<TRow, TVector> write)
    {
        ValueGetter<TVector> get = input.GetGetter<TVector>(column);
        return row =>
        {
            TVector value = read(row);
            get(ref value);
            write(row, value);
        };
    }

    private static Action<TRow> Dispatch<TRow>(string method, Type itemType, params object[] arguments) =>
        (Action<TRow>)typeof(MemberConversion)
            .GetMethod(method, BindingFlags.NonPublic | BindingFlags.Static)
            .MakeGenericMethod(typeof(TRow), itemType)
            .Invoke(null, arguments);
}
