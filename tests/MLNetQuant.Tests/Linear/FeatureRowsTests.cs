using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Linear;
using MLNetQuant.Onnx;
using MLNetQuant.Onnx.Tests.Saved;
using MLNetQuant.Tests.Data;

namespace MLNetQuant.Tests.Linear;

public sealed class FeatureRowsTests
{
    // So that 64 rows hold more values than an array.
    private const int Many = 1 << 25;

    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void Few_rows_are_read_once_in_order_and_only_the_features()
    {
        var view = new RecordingDataView(Rows(200));
        var rows = FeatureRows.Read(view, Model(), "step 1", new());
        Assert.Equal(Enumerable.Range(0, 200).SelectMany(i => new float[] { i, -i, 1 }), rows);
        Assert.Equal(["Features"], Assert.Single(view.Cursors));
        Assert.Equal(1, view.DisposedCursors);
    }

    [Fact]
    public void Of_many_rows_a_sample_is_kept_that_the_seed_decides()
    {
        float[] Read(int seed) => FeatureRows.Read(Rows(5000), Model(), "step 1", new() { RowsPerLayer = 500, Seed = seed });
        var rows = Read(1);
        float[] numbers = [.. rows.Where((_, i) => i % 3 == 0)];
        Assert.Equal(500, numbers.Distinct().Count());
        Assert.All(Enumerable.Range(0, 500), i => Assert.Equal(-numbers[i], rows[(3 * i) + 1]));

        // Uniform over 0 to 4,999: the mean of 500 of them has a standard deviation of about 61.
        Assert.InRange(numbers.Average(), 2500 - 250, 2500 + 250);
        Assert.Equal(rows, Read(1));
        Assert.NotEqual(rows, Read(2));
        Assert.Equal(30, FeatureRows.Read(Rows(5000), Model(), "step 1", new() { Rows = 10 }).Length);
    }

    [Fact]
    public void Room_is_made_for_no_more_rows_than_the_options_allow()
    {
        var model = Model(Many);
        var options = new QuantizationOptions { Rows = 1 };
        Assert.DoesNotContain("there is room for", LinearModelQuantizer.Refuse(model, options) ?? "", StringComparison.Ordinal);
        var features = new VBuffer<float>(Many, 1, [7], [Many - 1]);
        var rows = FeatureRows.Read(_ml.Data.LoadFromEnumerable([new Sparse { Features = features }]), model, "step 1", options);
        Assert.Equal((Many, 7), (rows.Length, rows[^1]));
    }

    [Fact]
    public void Rows_that_are_not_finite_are_passed_over()
    {
        Row[] rows = [new() { Features = [1, 2, 3] }, new() { Features = [1, float.NaN, 3] }, new() { Features = [4, 5, 6] }];
        Assert.Equal([1, 2, 3, 4, 5, 6], FeatureRows.Read(_ml.Data.LoadFromEnumerable(rows), Model(), "step 1", new()));
        Says("The feature column 'Features' of step 1 is NaN or infinite in all of the 1 rows: repair the rows.", _ml.Data.LoadFromEnumerable(rows[1..2]));
        Says("The calibration data has no rows (column 'Features'): give at least one row.", _ml.Data.LoadFromEnumerable(rows[..0]));
    }

    [Fact]
    public void A_column_that_does_not_fit_is_refused()
    {
        Says("The data has no column 'Features', the features of step 1 (it has 'Label', 'Other'): add it, for example with Concatenate.", _ml.Data.LoadFromEnumerable([new Misnamed()]));
        Says("The feature column 'Features' of step 1 is Vector<Single, 2>, and the model takes Vector<Single, 3>: give vectors of that type and length.", _ml.Data.LoadFromEnumerable([new Narrow()]));
    }

    private static void Says(string sentence, IDataView data) =>
        Assert.Equal(sentence, Assert.Throws<QuantizationException>(() => FeatureRows.Read(data, Model(), "step 1", new())).Message);

    private IDataView Rows(int count) =>
        _ml.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(i => new Row { Features = [i, -i, 1] }));

    /// <summary>A model without weights, from a zip as ML.NET saves it.</summary>
    private static SavedLinearModel Model(int features = 3)
    {
        var zip = new ZipWriter().Prediction("TransformerChain", "RegressionPredXfer", "Features").Key("TransformerChain/Model", "LinearRegressionExec", d =>
        {
            foreach (var number in new[] { 4, 0, features, 0, 0 })
                d.Write(number);
        });
        var saved = SavedModel.Parse(zip.ToBytes());
        return saved.ReadLinear(saved.Steps[0]);
    }

    private sealed class Row
    {
        [VectorType(3)]
        public float[] Features { get; set; } = [];

        public float Label { get; set; }
    }

    private sealed class Sparse
    {
        [VectorType(Many)]
        public VBuffer<float> Features { get; set; }
    }

    private sealed class Narrow
    {
        [VectorType(2)]
        public float[] Features { get; set; } = [1, 2];
    }

    private sealed class Misnamed
    {
        public float Label { get; set; }

        [VectorType(3)]
        public float[] Other { get; set; } = [1, 2, 3];
    }
}
