using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

public sealed partial class DataViewSchema
{
    /// <summary>Named values about a column, such as the names of a vector's slots.</summary>
    public sealed class Annotations
    {
        private readonly Delegate[] _getters;

        private Annotations(DataViewSchema schema, Delegate[] getters)
        {
            Schema = schema;
            _getters = getters;
        }

        public DataViewSchema Schema { get; }

        public static Annotations Empty { get; } = new Builder().ToAnnotations();

        public ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (column.Index >= _getters.Length)
                throw new ArgumentException(nameof(column));
            return _getters[column.Index] as ValueGetter<TValue>
                ?? throw new InvalidOperationException($"Invalid call to '{nameof(GetGetter)}'");
        }

        public void GetValue<TValue>(string kind, ref TValue value)
        {
            Column column = Schema.GetColumnOrNull(kind)
                ?? throw new InvalidOperationException($"Invalid call to '{nameof(GetValue)}'");
            GetGetter<TValue>(column)(ref value);
        }

        public override string ToString() => string.Join(", ", Schema.Select(c => c.Name));

        public sealed class Builder
        {
            private readonly List<(string Name, DataViewType Type, Delegate Getter, Annotations Annotations)> _items = [];

            /// <summary>Takes over the annotations whose names the selector accepts.</summary>
            public void Add(Annotations annotations, Func<string, bool> selector)
            {
                if (annotations is null)
                    return;
                ArgumentNullException.ThrowIfNull(selector);
                foreach (Column column in annotations.Schema)
                    if (selector(column.Name))
                        _items.Add((column.Name, column.Type, annotations._getters[column.Index], column.Annotations));
            }

            public void Add<TValue>(
                string name, DataViewType type, ValueGetter<TValue> getter, Annotations annotations = null)
            {
                CheckNameAndType<TValue>(name, type);
                ArgumentNullException.ThrowIfNull(getter);
                _items.Add((name, type, getter, annotations));
            }

            public void Add(string name, DataViewType type, Delegate getter, Annotations annotations = null)
            {
                if (string.IsNullOrEmpty(name))
                    throw new ArgumentNullException(nameof(name));
                ArgumentNullException.ThrowIfNull(type);
                ArgumentNullException.ThrowIfNull(getter);
                TypeDispatch.Invoke(AddDelegate<int>, type.RawType, name, type, getter, annotations);
            }

            public void AddPrimitiveValue<TValue>(
                string name, PrimitiveDataViewType type, TValue value, Annotations annotations = null)
            {
                CheckNameAndType<TValue>(name, type);
                Add(name, type, (ref TValue dst) => dst = value, annotations);
            }

            public Annotations ToAnnotations()
            {
                var schema = new DataViewSchema.Builder();
                foreach (var item in _items)
                    schema.AddColumn(item.Name, item.Type, item.Annotations);
                return new Annotations(schema.ToSchema(), [.. _items.Select(i => i.Getter)]);
            }

            private static void CheckNameAndType<TValue>(string name, DataViewType type)
            {
                if (string.IsNullOrEmpty(name))
                    throw new ArgumentNullException(nameof(name));
                ArgumentNullException.ThrowIfNull(type);
                if (type.RawType != typeof(TValue))
                    throw new ArgumentException($"type.RawType must be of type '{typeof(TValue).FullName}'.", nameof(type));
            }

            private object AddDelegate<TValue>(
                string name, DataViewType type, Delegate getter, Annotations annotations)
            {
                if (getter is not ValueGetter<TValue>)
                    throw new ArgumentException(
                        $"{nameof(getter)} must be of type '{typeof(ValueGetter<TValue>).FullName}'", nameof(getter));
                _items.Add((name, type, getter, annotations));
                return null;
            }
        }
    }
}
