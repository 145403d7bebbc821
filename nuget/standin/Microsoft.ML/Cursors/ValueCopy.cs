namespace Microsoft.ML.Data;

/// <summary>Copies a column's value so that neither side sees the other's later writes.</summary>
internal delegate void ValueCopier<TValue>(ref TValue source, ref TValue destination);

internal static class ValueCopy
{
    public static ValueCopier<TValue> For<TValue>()
    {
        Type type = typeof(TValue);
        if (!type.IsGenericType || type.GetGenericTypeDefinition() != typeof(VBuffer<>))
            return (ref TValue source, ref TValue destination) => destination = source;
        return (ValueCopier<TValue>)Runtime.TypeDispatch.Invoke(ForVector<int>, type.GetGenericArguments()[0]);
    }

    private static Delegate ForVector<TItem>() => new ValueCopier<VBuffer<TItem>>(
        (ref VBuffer<TItem> source, ref VBuffer<TItem> destination) => source.CopyTo(ref destination));
}
