using Microsoft.ML.Data;

namespace Microsoft.ML;

public sealed partial class DataViewSchema
{
    public sealed class Builder
    {
        private readonly List<(string Name, DataViewType Type, Annotations Annotations)> _columns = [];

        public void AddColumn(string name, DataViewType type, Annotations annotations = null)
        {
            if (string.IsNullOrEmpty(name))
                throw new ArgumentNullException(nameof(name));
            ArgumentNullException.ThrowIfNull(type);
            _columns.Add((name, type, annotations));
        }

        public void AddColumns(IEnumerable<Column> source)
        {
            foreach (Column column in source)
                AddColumn(column.Name, column.Type, column.Annotations);
        }

        public void AddColumns(IEnumerable<DetachedColumn> source)
        {
            foreach (DetachedColumn column in source)
                AddColumn(column.Name, column.Type, column.Annotations);
        }

        public DataViewSchema ToSchema()
        {
            var indexByName = new Dictionary<string, int>();
            for (int i = 0; i < _columns.Count; i++)
                indexByName[_columns[i].Name] = i;
            Column[] columns = [.. _columns.Select(
                (c, i) => new Column(c.Name, i, indexByName[c.Name] != i, c.Type, c.Annotations))];
            return new DataViewSchema(columns, indexByName);
        }
    }
}
