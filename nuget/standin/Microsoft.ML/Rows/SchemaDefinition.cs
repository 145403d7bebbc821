using System.Reflection;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Which members of a class are columns, under which names and types.</summary>
public sealed class SchemaDefinition : List<SchemaDefinition.Column>
{
    private SchemaDefinition()
    {
    }

    [Flags]
    public enum Direction
    {
        Read = 1,
        Write = 2,
        Both = Read | Write,
    }

    public Column this[string columnName]
    {
        get => Find(column => column.ColumnName == columnName);
        set
        {
            Contracts.CheckValue(value, nameof(value));
            if (value.ColumnName != columnName)
            {
                throw Contracts.ExceptParam(nameof(columnName),
                    $"The column name is specified as '{value.ColumnName}' but must match the selector '{columnName}'.");
            }
            int index = FindIndex(column => column.ColumnName == columnName);
            if (index >= 0)
                this[index] = value;
            else
                Add(value);
        }
    }

    public static SchemaDefinition Create(Type userType, Direction direction = Direction.Both)
    {
        Contracts.CheckValue(userType, nameof(userType));
        var definition = new SchemaDefinition();
        foreach (MemberInfo member in RowMembers.Of(userType, direction).Where(RowMembers.IsColumn))
        {
            string name = RowMembers.ColumnNameOf(member);
            // Members come in no guaranteed order, so one name for two of them would mean either.
            if (definition.Exists(column => column.ColumnName == name))
                throw Contracts.ExceptParam(nameof(userType), $"Duplicate column name '{name}' detected, this is disallowed");
            definition.Add(new Column(member.Name, RowMembers.DeclaredType(member), name));
        }
        return definition;
    }

    public sealed class Column
    {
        private readonly Dictionary<string, (DataViewType Type, Delegate Getter)> _annotations = [];

        internal Column(string memberName, DataViewType columnType, string columnName)
        {
            MemberName = memberName;
            ColumnName = columnName;
            ColumnType = columnType;
        }

        public string MemberName { get; }

        public string ColumnName { get; set; }

        public DataViewType ColumnType { get; set; }

        public DataViewSchema.Annotations Annotations
        {
            get
            {
                var builder = new DataViewSchema.Annotations.Builder();
                foreach ((string kind, (DataViewType type, Delegate getter)) in _annotations)
                    builder.Add(kind, type, getter);
                return builder.ToAnnotations();
            }
        }

        public void AddAnnotation<T>(string kind, T value, DataViewType annotationType)
        {
            Contracts.CheckValue(kind, nameof(kind));
            Contracts.CheckValue(annotationType, nameof(annotationType));
            if (_annotations.ContainsKey(kind))
                throw Contracts.Except("Column already contains an annotation of this kind.");
            RowMembers.SplitType("annotation value", typeof(T), out bool isVector, out Type itemType);
            if (isVector != annotationType is VectorDataViewType)
            {
                throw Contracts.Except($"Value inputted is supposed to be {(isVector ? "vector" : "scalar")}, " +
                    $"but type of Annotationinfo is {(isVector ? "scalar" : "vector")}");
            }
            if (annotationType.GetItemType().RawType != itemType)
            {
                throw Contracts.Except($"Value inputted is supposed to have Type {itemType}, " +
                    $"but type of Annotationinfo has {annotationType.GetItemType().RawType}");
            }
            _annotations[kind] = (annotationType, MemberConversion.ToColumn(() => value, null));
        }

        internal void TakeOver(DataViewSchema.Column column)
        {
            ColumnType = column.Type;
            foreach (DataViewSchema.Column annotation in column.Annotations.Schema)
            {
                Delegate getter = TypeDispatch.Invoke(GetterOf<int>, annotation.Type.RawType, column.Annotations, annotation);
                _annotations[annotation.Name] = (annotation.Type, getter);
            }
        }

        private static Delegate GetterOf<TValue>(DataViewSchema.Annotations annotations, DataViewSchema.Column annotation) =>
            annotations.GetGetter<TValue>(annotation);
    }
}
