using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>A concatenated column bound to an input schema.</summary>
internal sealed class Concatenation
{
    private readonly ConcatenatedColumn _column;
    private readonly VectorDataViewType _type;

    public Concatenation(IExceptionContext context, ConcatenatedColumn column, DataViewSchema inputSchema)
    {
        _column = column;
        Sources = new DataViewSchema.Column[column.Sources.Count];
        for (int i = 0; i < Sources.Length; i++)
        {
            string name = column.Sources[i].Name;
            Sources[i] = inputSchema.GetColumnOrNull(name)
                ?? throw context.ExceptMissingColumn(nameof(inputSchema), "input", name);
            DataViewType itemType = Sources[0].Type.GetItemType();
            if (!Sources[i].Type.GetItemType().Equals(itemType))
            {
                throw context.ExceptSchemaMismatch(
                    nameof(inputSchema), "input", name, itemType.ToString(), Sources[i].Type.ToString());
            }
            if (!IsIdentity && Sources[i].Annotations.Schema.GetColumnOrNull(AnnotationKinds.CategoricalSlotRanges) is not null)
                throw Contracts.ExceptLacking("the concatenation of columns with categorical slot ranges");
        }
        int[] counts = [.. Sources.Select(s => s.Type.GetValueCount())];
        _type = new VectorDataViewType(
            (PrimitiveDataViewType)Sources[0].Type.GetItemType(), counts.Contains(0) ? 0 : counts.Sum());
    }

    public DataViewSchema.Column[] Sources { get; }

    // A single vector passes through with its dimensions and annotations.
    private bool IsIdentity => Sources.Length == 1 && Sources[0].Type is VectorDataViewType;

    public DataViewSchema.DetachedColumn ToSchemaColumn()
    {
        if (IsIdentity)
            return new DataViewSchema.DetachedColumn(_column.Name, Sources[0].Type, Sources[0].Annotations);
        var annotations = new DataViewSchema.Annotations.Builder();
        if (_type.ItemType is NumberDataViewType && Sources.All(s => s.IsNormalized()))
            annotations.AddPrimitiveValue(AnnotationKinds.IsNormalized, BooleanDataViewType.Instance, true);
        if (_type.IsKnownSize && Sources.Any(s => s.Type is not VectorDataViewType || s.HasSlotNames()))
        {
            annotations.Add<VBuffer<ReadOnlyMemory<char>>>(AnnotationKinds.SlotNames,
                new VectorDataViewType(TextDataViewType.Instance, _type.Size), GetSlotNames);
        }
        return new DataViewSchema.DetachedColumn(_column.Name, _type, annotations.ToAnnotations());
    }

    public Delegate MakeGetter(DataViewRow input) => IsIdentity
        ? TypeDispatch.Invoke(PassThrough<int>, _type.RawType, input)
        : TypeDispatch.Invoke(Join<int>, _type.ItemType.RawType, input);

    private void GetSlotNames(ref VBuffer<ReadOnlyMemory<char>> destination)
    {
        var names = new ReadOnlyMemory<char>[_type.Size];
        VBuffer<ReadOnlyMemory<char>> slots = default;
        int first = 0;
        for (int i = 0; i < Sources.Length; i++)
        {
            string name = _column.Sources[i].Alias ?? Sources[i].Name;
            if (Sources[i].Type is not VectorDataViewType)
            {
                names[first] = name.AsMemory();
            }
            else if (Sources[i].HasSlotNames())
            {
                Sources[i].GetSlotNames(ref slots);
                string prefix = _column.Sources[i].Alias == Sources[i].Name ? "" : name + ".";
                foreach ((int slot, ReadOnlyMemory<char> slotName) in slots.Items())
                    if (!slotName.IsEmpty)
                        names[first + slot] = (prefix + slotName).AsMemory();
            }
            first += Sources[i].Type.GetValueCount();
        }
        destination = new VBuffer<ReadOnlyMemory<char>>(names.Length, names);
    }

    private Delegate PassThrough<TValue>(DataViewRow input) => input.GetGetter<TValue>(input.Schema[Sources[0].Index]);

    private Delegate Join<TItem>(DataViewRow input)
    {
        ValueGetter<VBuffer<TItem>>[] getters = [.. Sources.Select(s => VectorGetter<TItem>(input, s))];
        var parts = new VBuffer<TItem>[getters.Length];
        return new ValueGetter<VBuffer<TItem>>((ref VBuffer<TItem> value) =>
        {
            int length = 0;
            int count = 0;
            for (int i = 0; i < parts.Length; i++)
            {
                getters[i](ref parts[i]);
                length = checked(length + parts[i].Length);
                count += parts[i].GetValues().Length;
            }
            value = count <= length / 2 ? JoinSparse(parts, ref value, length, count) : JoinDense(parts, ref value, length);
        });
    }

    private static ValueGetter<VBuffer<TItem>> VectorGetter<TItem>(DataViewRow input, DataViewSchema.Column source)
    {
        DataViewSchema.Column column = input.Schema[source.Index];
        if (source.Type is not VectorDataViewType vector)
        {
            ValueGetter<TItem> getOne = input.GetGetter<TItem>(column);
            return (ref VBuffer<TItem> value) =>
            {
                VBufferEditor<TItem> editor = VBufferEditor.Create(ref value, 1);
                getOne(ref editor.Values[0]);
                value = editor.Commit();
            };
        }
        ValueGetter<VBuffer<TItem>> get = input.GetGetter<VBuffer<TItem>>(column);
        return (ref VBuffer<TItem> value) =>
        {
            get(ref value);
            if (vector.IsKnownSize && vector.Size != value.Length)
                throw Contracts.Except($"Column '{column.Name}': expected {vector.Size} slots, but got {value.Length}");
        };
    }

    private static VBuffer<TItem> JoinDense<TItem>(VBuffer<TItem>[] parts, ref VBuffer<TItem> old, int length)
    {
        VBufferEditor<TItem> editor = VBufferEditor.Create(ref old, length);
        int first = 0;
        foreach (VBuffer<TItem> part in parts)
        {
            part.CopyTo(editor.Values, first);
            first += part.Length;
        }
        return editor.Commit();
    }

    private static VBuffer<TItem> JoinSparse<TItem>(VBuffer<TItem>[] parts, ref VBuffer<TItem> old, int length, int count)
    {
        VBufferEditor<TItem> editor = VBufferEditor.Create(ref old, length, count);
        int first = 0;
        int next = 0;
        foreach (VBuffer<TItem> part in parts)
        {
            foreach ((int slot, TItem item) in part.Items())
            {
                editor.Values[next] = item;
                editor.Indices[next++] = first + slot;
            }
            first += part.Length;
        }
        return editor.Commit();
    }
}
