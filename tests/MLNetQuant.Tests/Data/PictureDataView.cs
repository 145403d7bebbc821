using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetQuant.Tests.Data;

/// <summary>A value that has to be disposed of, as images have.</summary>
internal sealed class Picture(long row) : IDisposable
{
    public long Row => row;

    public bool IsDisposed { get; private set; }

    public void Dispose() => IsDisposed = true;
}

/// <summary>Adds a column "Picture" of a type that only this project knows. As with ML.NET's images its getter disposes of the value that it replaces.</summary>
internal sealed class PictureDataView : IDataView
{
    private readonly IDataView _inner;

    public PictureDataView(IDataView inner)
    {
        _inner = inner;
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(inner.Schema);
        builder.AddColumn("Picture", new PictureType());
        Schema = builder.ToSchema();
    }

    /// <summary>All that were ever made.</summary>
    public List<Picture> Pictures { get; } = [];

    public bool CanShuffle => false;

    public DataViewSchema Schema { get; }

    public long? GetRowCount() => _inner.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        DataViewSchema.Column[] asked = [.. columnsNeeded];
        return new Cursor(this, _inner.GetRowCursor(asked.Where(c => c.Index < _inner.Schema.Count)), asked.Any(c => c.Name == "Picture"));
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private sealed class PictureType() : StructuredDataViewType(typeof(Picture))
    {
        public override bool Equals(DataViewType? other) => other is PictureType;
    }

    private sealed class Cursor(PictureDataView owner, DataViewRowCursor inner, bool pictures) : DataViewRowCursor
    {
        public override long Position => inner.Position;

        public override long Batch => inner.Batch;

        public override DataViewSchema Schema => owner.Schema;

        public override ValueGetter<DataViewRowId> GetIdGetter() => inner.GetIdGetter();

        public override bool IsColumnActive(DataViewSchema.Column column) => column.Name == "Picture" ? pictures : inner.IsColumnActive(column);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (column.Name != "Picture")
                return inner.GetGetter<TValue>(column);
            Assert.True(pictures);
            ValueGetter<Picture> getter = (ref Picture value) =>
            {
                value?.Dispose();
                owner.Pictures.Add(value = new(inner.Position));
            };
            return (ValueGetter<TValue>)(Delegate)getter;
        }

        public override bool MoveNext() => inner.MoveNext();

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
