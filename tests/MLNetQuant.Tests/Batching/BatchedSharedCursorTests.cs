using Microsoft.ML;
using MLNetQuant.Tests.Data;

namespace MLNetQuant.Tests.Batching;

/// <summary>Cursors over every shared model that ML.NET can feed, float and quantized, beside ML.NET's own step.</summary>
public sealed class BatchedSharedCursorTests(SharedForms forms) : IClassFixture<SharedForms>
{
    /// <summary>So that few rows make several batches.</summary>
    private const int BatchSize = 16;

    private const int Few = 40;

    private readonly MLContext _ml = new(seed: 1);

    public static TheoryData<string, string> Cases => SharedForms.Cases;

    [SharedModelsTheory]
    [MemberData(nameof(Cases))]
    public void Rows_around_the_size_of_a_batch_score_as_rows_do(string model, string form)
    {
        var shared = forms.Of(model, form);
        foreach (var count in new[] { 0, 1, 255, 256, 257 })
            shared.AssertFirst(count, RowValues.Of(shared.Transformer.Transform(shared.Rows(count)), shared.Columns));
        var scoring = shared.Transformer is WeightQuantizingTransformer quantized ? quantized.Scoring : ((BatchedOnnxTransformer)shared.Transformer).Scoring;
        Assert.Equal(shared.Transformer is WeightQuantizingTransformer ? 1024 : 256, scoring.BatchSize);
        shared.AssertScoring(scoring);
    }

    [SharedModelsTheory]
    [MemberData(nameof(Cases))]
    public async Task A_set_of_cursors_that_are_read_at_once_gives_every_row_once(string model, string form)
    {
        const int count = 140;
        var shared = forms.Of(model, form);
        using var fresh = shared.Fresh(BatchSize);

        // A step of ML.NET in front deals rows out to as many cursors as are asked for, 128 at a time.
        var rows = shared.Rows(count);
        var front = _ml.Transforms.CustomMapping<In, Out>((i, o) => o.Twice = 2 * i.Number, contractName: null).Fit(rows);
        var view = fresh.Transform(front.Transform(rows));
        DataViewSchema.Column[] columns = [.. shared.Columns.Append("Twice").Select(c => view.Schema[c])];
        var cursors = view.GetRowCursorSet(columns, 2);
        Assert.Equal(2, cursors.Length);
        var read = await AtOnce.Run(cursors, (cursor, meet) =>
        {
            using (cursor)
            {
                meet();
                var own = RowValues.Of(cursor, columns, limit: 1);

                // Nobody takes a second share before all have the first.
                meet();
                return (object[][])[.. own, .. RowValues.Of(cursor, columns)];
            }
        });

        Assert.All(read, Assert.NotEmpty);
        Assert.All(read, own => Assert.Equal(Enumerable.Range(0, own.Length).Select(i => (long)i), own.Select(r => (long)r[0])));
        object[][] sorted = [.. read.SelectMany(own => own).OrderBy(r => (int)r[2])];
        Assert.All(sorted, row => Assert.Equal(2 * (int)row[2], row[4]));

        // Positions count within a cursor; everything else is as in one cursor.
        shared.AssertFirst(count, [.. sorted.Select((r, i) => (object[])[(long)i, .. r[1..4]])]);
        shared.AssertScoring(fresh.Scoring);
    }

    [SharedModelsTheory]
    [MemberData(nameof(Cases))]
    public async Task Threads_that_open_the_first_cursors_of_a_model_at_once_do_not_meet(string model, string form)
    {
        var shared = forms.Of(model, form);
        using var fresh = shared.Fresh(BatchSize);
        var view = fresh.Transform(shared.Rows(Few));

        // One of them leaves in the middle of a batch.
        int[] limits = [Few, 24, Few];
        var read = await AtOnce.Run(limits, (limit, meet) =>
        {
            DataViewSchema.Column[] columns = [.. shared.Columns.Select(c => view.Schema[c])];
            meet();
            using var cursor = view.GetRowCursor(columns);
            return RowValues.Of(cursor, columns, limit);
        });

        Assert.All(read.Zip(limits), r => shared.AssertFirst(r.Second, r.First));
        shared.AssertScoring(fresh.Scoring);
    }

    [SharedModelsTheory]
    [MemberData(nameof(Cases))]
    public void A_cursor_that_is_disposed_of_early_leaves_another_alone(string model, string form)
    {
        var shared = forms.Of(model, form);
        using var fresh = shared.Fresh(BatchSize);
        var source = new RecordingDataView(shared.Rows(Few));
        var view = fresh.Transform(source);
        DataViewSchema.Column[] columns = [.. shared.Columns.Select(c => view.Schema[c])];
        view.GetRowCursor(columns).Dispose();
        var ahead = view.GetRowCursor(columns);
        using (var behind = view.GetRowCursor(columns))
        {
            shared.AssertFirst(24, RowValues.Of(ahead, columns, limit: 24));
            var rows = RowValues.Of(behind, columns, limit: 5);
            ahead.Dispose();
            rows.AddRange(RowValues.Of(behind, columns));
            shared.AssertFirst(Few, rows);
        }

        Assert.False(ahead.MoveNext());
        if (shared.IsFixed)
            return;
        Assert.Equal(3, source.DisposedCursors);
        Assert.Equal((2 * BatchSize) + Few, source.RowsRead);
    }

    [SharedModelsTheory]
    [MemberData(nameof(Cases))]
    public void Only_the_columns_asked_for_are_read(string model, string form)
    {
        var shared = forms.Of(model, form);
        using var fresh = shared.Fresh(BatchSize);
        var input = shared.Rows(0).Schema.Single(c => c.Name != "Number").Name;

        Assert.Equal([input], AskFor(shared.Output));
        Assert.Equal([input, "Number"], AskFor(shared.Output, "Number").OrderByDescending(c => c == input));
        Assert.Equal(["Number"], AskFor("Number"));

        string[] AskFor(params string[] columns)
        {
            var source = new RecordingDataView(shared.Rows(Few));
            shared.AssertFirst(Few, RowValues.Of(fresh.Transform(source), columns), columns);
            return Assert.Single(source.Cursors);
        }
    }

    private sealed class In
    {
        public int Number { get; set; }
    }

    private sealed class Out
    {
        public int Twice { get; set; }
    }
}
