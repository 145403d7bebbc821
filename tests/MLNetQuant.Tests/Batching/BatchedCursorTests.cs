using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Onnx;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;

namespace MLNetQuant.Tests.Batching;

/// <summary>Cursors of the batched step beside those of ML.NET's own.</summary>
public sealed class BatchedCursorTests : IDisposable
{
    private readonly ScratchFolder _folder = new();
    private readonly MLContext _ml = new(seed: 1);
    private readonly BatchedOnnxTransformer _batched;
    private readonly OnnxTransformer _rowByRow;

    public BatchedCursorTests()
    {
        var file = SmallModels.Linear(_folder["x.onnx"], 4);
        var data = MixedRow.View(_ml, 1);
        _batched = _ml.Transforms.ApplyOnnxModelBatched(file).Fit(data);
        _rowByRow = _ml.Transforms.ApplyOnnxModel(file).Fit(data);
    }

    public void Dispose()
    {
        _batched.Dispose();
        _rowByRow.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(1000)]
    public void All_columns_are_those_that_row_by_row_scoring_gives(int count)
    {
        var data = MixedRow.View(_ml, count);
        var expected = RowValues.Of(_rowByRow.Transform(data));
        Assert.Equal(count, expected.Count);
        RowValues.AssertNear(expected, RowValues.Of(_batched.Transform(data)));
        Assert.Null(_batched.Scoring.RowByRowReason);
    }

    [Fact]
    public void The_schema_is_the_same()
    {
        var data = MixedRow.View(_ml, 1);
        var expected = _rowByRow.Transform(data).Schema;
        foreach (var schema in new[] { _batched.Transform(data).Schema, _batched.GetOutputSchema(data.Schema) })
        {
            Assert.Equal(
                expected.Select(c => (c.Name, c.Index, c.IsHidden, $"{c.Type}", c.Annotations.Schema.Count)),
                schema.Select(c => (c.Name, c.Index, c.IsHidden, $"{c.Type}", c.Annotations.Schema.Count)));
        }
    }

    [Fact]
    public void A_column_named_as_the_output_is_hidden_and_still_passed()
    {
        var data = _ml.Transforms.CopyColumns("y", "Number").Fit(MixedRow.View(_ml, 300)).Transform(MixedRow.View(_ml, 300));
        var expected = _rowByRow.Transform(data);
        var actual = _batched.Transform(data);
        Assert.Equal(2, actual.Schema.Count(c => c.Name == "y"));
        RowValues.AssertNear(RowValues.Of(expected), RowValues.Of(actual));
    }

    [Fact]
    public void A_view_can_be_read_again_and_again()
    {
        var view = _batched.Transform(MixedRow.View(_ml, 300));
        Assert.Equal(RowValues.Of(view, "y"), RowValues.Of(view, "y"));
    }

    [Fact]
    public void Two_cursors_at_once_do_not_meet()
    {
        var view = _batched.Transform(MixedRow.View(_ml, 600));
        var expected = RowValues.Of(view, "y", "Number");
        DataViewSchema.Column[] columns = [view.Schema["y"], view.Schema["Number"]];
        using var ahead = view.GetRowCursor(columns);
        using var behind = view.GetRowCursor(columns);
        var first = RowValues.Of(ahead, columns, limit: 300);
        var others = RowValues.Of(behind, columns, limit: 20);
        first.AddRange(RowValues.Of(ahead, columns));
        others.AddRange(RowValues.Of(behind, columns));
        Assert.Equal(expected, first);
        Assert.Equal(expected, others);
    }

    [Fact]
    public async Task Cursors_on_several_threads_do_not_meet()
    {
        var view = _batched.Transform(MixedRow.View(_ml, 700));
        var expected = RowValues.Of(view, "y", "Text");
        var all = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => RowValues.Of(view, "y", "Text"))));
        Assert.All(all, rows => Assert.Equal(expected, rows));
    }

    [Fact]
    public void A_set_of_cursors_gives_every_row_once_with_its_batch_and_id()
    {
        // A step of ML.NET in front splits rows over as many cursors as are asked for.
        var front = _ml.Transforms.CustomMapping<In, Out>((i, o) => o.Twice = 2 * i.Number, contractName: null).Fit(MixedRow.View(_ml, 1));
        var data = front.Transform(MixedRow.View(_ml, 2000));
        var view = _batched.Transform(data);
        DataViewSchema.Column[] columns = [view.Schema["Number"], view.Schema["Twice"], view.Schema["y"]];
        var expected = _rowByRow.Transform(data);
        var wanted = RowValues.Of(expected, "Number", "Twice", "y");

        var cursors = view.GetRowCursorSet(columns, 3);
        Assert.InRange(cursors.Length, 2, 3);
        var rows = new List<object[]>();
        foreach (var cursor in cursors)
        {
            var position = 0L;
            var batch = -1L;
            using (cursor)
            {
                foreach (var row in RowValues.Of(Checked(cursor), columns))
                {
                    Assert.Equal(position++, row[0]);
                    rows.Add(row);
                }
            }

            Checking Checked(DataViewRowCursor inner) => new(inner, () =>
            {
                Assert.True(inner.Batch >= batch);
                batch = inner.Batch;
            });
        }

        // Positions count within a cursor; everything else is as in one cursor.
        object[][] sorted = [.. rows.OrderBy(r => (int)r[2]).Select((r, i) => (object[])[(long)i, .. r.Skip(1)])];
        RowValues.AssertNear(wanted, sorted);
    }

    [Fact]
    public void Only_the_columns_asked_for_are_read()
    {
        var data = new RecordingDataView(MixedRow.View(_ml, 20));
        var view = _batched.Transform(data);
        Assert.Equal(20, RowValues.Of(view, "y", "Text").Count);
        Assert.Equal(["x", "Text"], Assert.Single(data.Cursors));
    }

    [Fact]
    public void Without_a_score_asked_for_the_model_does_not_run()
    {
        var data = new RecordingDataView(MixedRow.View(_ml, 20));
        var view = _batched.Transform(data);
        Assert.Equal(20, RowValues.Of(view, "Text").Count);
        Assert.DoesNotContain(data.Cursors, c => c.Contains("x"));
    }

    [Fact]
    public void Nothing_is_read_before_the_first_row_and_a_batch_at_most_before_scores_are_asked_for()
    {
        var data = new RecordingDataView(MixedRow.View(_ml, 1000));
        var view = _batched.Transform(data);
        using (var cursor = view.GetRowCursor([view.Schema["y"]]))
        {
            Assert.Equal(0, data.RowsRead);
            Assert.True(cursor.MoveNext());
            Assert.Equal(16, data.RowsRead);
            Assert.Equal(0, data.DisposedCursors);

            // Each batch may be twice as large as the one before.
            for (var row = 1; row < 17; row++)
                Assert.True(cursor.MoveNext());
            Assert.Equal(16 + 32, data.RowsRead);
        }

        Assert.Equal(16 + 32, data.RowsRead);
        Assert.Equal(1, data.DisposedCursors);
    }

    [Fact]
    public void A_cursor_that_is_done_or_disposed_of_has_no_row()
    {
        var view = _batched.Transform(MixedRow.View(_ml, 3));
        foreach (var rows in new[] { 1, 4 })
        {
            var cursor = view.GetRowCursor([view.Schema["y"], view.Schema["Number"]]);
            var scores = cursor.GetGetter<VBuffer<float>>(view.Schema["y"]);
            var numbers = cursor.GetGetter<int>(view.Schema["Number"]);
            var ids = cursor.GetIdGetter();
            AssertNoRow();
            for (var row = 0; row < rows; row++)
                cursor.MoveNext();
            cursor.Dispose();
            AssertNoRow();
            Assert.False(cursor.MoveNext());

            void AssertNoRow()
            {
                VBuffer<float> score = default;
                var number = 0;
                DataViewRowId id = default;
                Assert.Equal(-1, cursor.Position);
                Assert.Throws<InvalidOperationException>(() => scores(ref score));
                Assert.Throws<InvalidOperationException>(() => numbers(ref number));
                Assert.Throws<InvalidOperationException>(() => ids(ref id));
            }
        }
    }

    [Fact]
    public void Getters_of_other_columns_and_types_are_refused()
    {
        var view = _batched.Transform(MixedRow.View(_ml, 3));
        using var cursor = view.GetRowCursor([view.Schema["y"]]);
        Assert.True(cursor.IsColumnActive(view.Schema["y"]));
        Assert.False(cursor.IsColumnActive(view.Schema["Text"]));
        Assert.Contains("'Text'", Assert.Throws<InvalidOperationException>(() => cursor.GetGetter<ReadOnlyMemory<char>>(view.Schema["Text"])).Message, StringComparison.Ordinal);
        Assert.Contains("Invalid TValue", Assert.Throws<InvalidOperationException>(() => cursor.GetGetter<float>(view.Schema["y"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_of_unknown_types_are_passed_and_belong_to_who_asks_for_them()
    {
        var data = new PictureDataView(MixedRow.View(_ml, 600));
        var view = _batched.Transform(data);
        var column = view.Schema["Picture"];
        var kept = new List<Picture>();
        using (var cursor = view.GetRowCursor([column, view.Schema["y"]]))
        {
            var get = cursor.GetGetter<Picture>(column);
            Picture? reused = null;
            while (cursor.MoveNext())
            {
                if (cursor.Position % 3 == 0)
                {
                    Picture? own = null;
                    get(ref own!);
                    kept.Add(own);
                    Assert.Equal(cursor.Position, own.Row);
                }
                else if (cursor.Position % 3 == 1)
                {
                    get(ref reused!);
                    get(ref reused!);
                    Assert.False(reused.IsDisposed);
                    Assert.Equal(cursor.Position, reused.Row);
                }
            }

            reused!.Dispose();
        }

        // Those of the rows that nobody asked are gone too.
        Assert.Equal(200, kept.Count);
        Assert.All(kept, p => Assert.False(p.IsDisposed));
        Assert.Equal(600, data.Pictures.Count);
        Assert.Equal(kept, data.Pictures.Where(p => !p.IsDisposed));
    }

    [Fact]
    public void Each_getter_of_an_unknown_type_gives_values_of_its_own()
    {
        var data = new PictureDataView(MixedRow.View(_ml, 300));
        var view = _batched.Transform(data);
        var column = view.Schema["Picture"];
        using (var cursor = view.GetRowCursor([column, view.Schema["y"]]))
        {
            var first = cursor.GetGetter<Picture>(column);
            var second = cursor.GetGetter<Picture>(column);
            Picture? one = null;
            Picture? other = null;
            while (cursor.MoveNext())
            {
                first(ref one!);
                one.Dispose();
                second(ref other!);
                Assert.False(other.IsDisposed);
                Assert.Equal(cursor.Position, other.Row);
            }

            other!.Dispose();
        }

        Assert.Equal(600, data.Pictures.Count);
        Assert.All(data.Pictures, p => Assert.True(p.IsDisposed));
    }

    [Fact]
    public void The_getter_of_an_unknown_type_is_made_before_the_first_row()
    {
        var view = _batched.Transform(new PictureDataView(MixedRow.View(_ml, 3)));
        using var cursor = view.GetRowCursor(view.Schema);
        cursor.MoveNext();
        var exception = Assert.Throws<InvalidOperationException>(() => cursor.GetGetter<Picture>(view.Schema["Picture"]));
        Assert.Contains("'Picture'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_row_that_cannot_be_read_fails_when_it_is_reached()
    {
        var data = new RecordingDataView(MixedRow.View(_ml, 100)) { OnRow = row => Assert.NotEqual(70, row) };
        var view = _batched.Transform(data);
        using var cursor = view.GetRowCursor([view.Schema["y"]]);
        for (var row = 0; row < 70; row++)
            Assert.True(cursor.MoveNext());
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => cursor.MoveNext());
    }

    private sealed class In
    {
        public int Number { get; set; }
    }

    private sealed class Out
    {
        public int Twice { get; set; }
    }

    /// <summary>Looks at each row before it is read.</summary>
    private sealed class Checking(DataViewRowCursor inner, Action look) : DataViewRowCursor
    {
        public override long Position => inner.Position;

        public override long Batch => inner.Batch;

        public override DataViewSchema Schema => inner.Schema;

        public override ValueGetter<DataViewRowId> GetIdGetter() => inner.GetIdGetter();

        public override bool IsColumnActive(DataViewSchema.Column column) => inner.IsColumnActive(column);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => inner.GetGetter<TValue>(column);

        public override bool MoveNext()
        {
            if (!inner.MoveNext())
                return false;
            look();
            return true;
        }
    }
}
