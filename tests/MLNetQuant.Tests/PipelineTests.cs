using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Tests.Data;

namespace MLNetQuant.Tests;

public sealed class PipelineTests(QuantizedSample sample) : IClassFixture<QuantizedSample>
{
    private static readonly IReadOnlyList<Image> Images = [.. FashionMnist.Calibration.Take(64)];
    private readonly MLContext _ml = sample.ML;

    [Fact]
    public void The_step_follows_CopyColumns()
    {
        var data = _ml.Data.LoadFromEnumerable(Images.Select(i => new Pixels { Values = i.Pixels, Label = i.Label }));
        using var model = _ml.Transforms.CopyColumns("input", "Values").Append(QuantizeSample()).Fit(data);
        AssertAsAlone(model, data);
    }

    [Fact]
    public void The_step_follows_Concatenate()
    {
        var data = _ml.Data.LoadFromEnumerable(Images.Select(i => new Halves { Upper = i.Pixels[..392], Lower = i.Pixels[392..] }));
        using var model = _ml.Transforms.Concatenate("input", "Upper", "Lower").Append(QuantizeSample()).Fit(data);
        AssertAsAlone(model, data);
    }

    [Fact]
    public void The_step_follows_a_custom_mapping()
    {
        var data = _ml.Data.LoadFromEnumerable(Images.Select(i => new Bytes { Values = Array.ConvertAll(i.Pixels, p => (byte)MathF.Round(p * 255)) }));
        using var model = _ml.Transforms.CustomMapping<Bytes, Input>(
                (bytes, input) => input.Values = Array.ConvertAll(bytes.Values, b => b / 255f), contractName: null)
            .Append(QuantizeSample())
            .Fit(data);
        AssertAsAlone(model, data);
    }

    [Fact]
    public void Steps_can_follow_the_quantized_model()
    {
        using var model = QuantizeSample()
            .Append(_ml.Transforms.CopyColumns("Score", "logits"))
            .Append(_ml.Transforms.SelectColumns("Score"))
            .Fit(sample.Calibration);
        var scored = model.Transform(sample.Images);
        Assert.Equal(["Score"], scored.Schema.Select(c => c.Name));
        Near.Equal(sample.Score(sample.Model), [.. scored.GetColumn<float[]>("Score")]);
    }

    [Fact]
    public void Two_quantized_models_stand_in_one_chain()
    {
        using var model = QuantizeSample()
            .Append(_ml.Transforms.CopyColumns("eight", "logits"))
            .Append(_ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, QuantizedSample.Options with { Bits = 2 }))
            .Fit(sample.Calibration);
        using var two = _ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, QuantizedSample.Options with { Bits = 2 }).Fit(sample.Calibration);
        Near.Equal(sample.Score(sample.Model), [.. model.Transform(sample.Images).GetColumn<float[]>("eight")]);
        Near.Equal(sample.Score(two), sample.Score(model));
    }

    [Fact]
    public void Cached_rows_give_the_same_model()
    {
        using var cached = QuantizeSample().Fit(_ml.Data.Cache(sample.Calibration));
        Near.Equal(sample.Score(sample.Model), sample.Score(cached));
    }

    [Fact]
    public void Rows_behind_a_cache_checkpoint_give_the_same_model()
    {
        var data = _ml.Data.LoadFromEnumerable(Images.Select(i => new Pixels { Values = i.Pixels, Label = i.Label }));
        using var model = _ml.Transforms.CopyColumns("input", "Values").AppendCacheCheckpoint(_ml).Append(QuantizeSample()).Fit(data);
        AssertAsAlone(model, data);
    }

    [Fact]
    public void Taken_rows_give_the_model_of_those_rows()
    {
        using var taken = QuantizeSample().Fit(_ml.Data.TakeRows(_ml.Data.LoadFromEnumerable(FashionMnist.Calibration), 64));
        Near.Equal(sample.Score(sample.Model), sample.Score(taken));
    }

    [Fact]
    public void Other_columns_pass_through()
    {
        var scored = sample.Model.Transform(sample.Images);
        Assert.Equal(["input", "Label", "logits"], scored.Schema.Select(c => c.Name));
        Assert.Equal(FashionMnist.Test.Take(20).Select(i => i.Label), scored.GetColumn<int>("Label"));
        Assert.Equal(FashionMnist.Test[7].Pixels, scored.GetColumn<float[]>("input").ElementAt(7));
    }

    [Fact]
    public void The_output_column_is_that_of_the_float_model()
    {
        using var original = _ml.Transforms.ApplyOnnxModel(FashionMnist.ModelFile).Fit(sample.Calibration);
        Assert.Equal(
            original.GetOutputSchema(sample.Images.Schema)["logits"].Type,
            sample.Model.GetOutputSchema(sample.Images.Schema)["logits"].Type);
    }

    [Fact]
    public void Nothing_is_scored_before_rows_are_asked_for()
    {
        var source = new RecordingDataView(sample.Images);
        var scored = sample.Model.Transform(source);
        Assert.Equal("logits", scored.Schema["logits"].Name);
        Assert.Empty(source.Cursors);

        Assert.Equal(20, scored.GetColumn<float[]>("logits").Count());
        Assert.Equal(20, source.RowsRead);
    }

    [Fact]
    public void Columns_that_are_not_asked_for_are_not_read()
    {
        var source = new RecordingDataView(sample.Images);
        var scored = sample.Model.Transform(source);
        using (var cursor = scored.GetRowCursor([scored.Schema["Label"]]))
            Assert.True(cursor.MoveNext());
        Assert.Equal(["Label"], Assert.Single(source.Cursors));
        using (var cursor = scored.GetRowCursor([scored.Schema["logits"]]))
            Assert.True(cursor.MoveNext());
        Assert.Equal(["input"], source.Cursors[^1]);
        Assert.Equal(source.Cursors.Count, source.DisposedCursors);
    }

    [Fact]
    public void A_view_can_be_read_again_and_by_two_cursors_at_once()
    {
        var scored = sample.Model.Transform(sample.Images);
        float[][] first = [.. scored.GetColumn<float[]>("logits")];
        Near.Equal(first, [.. scored.GetColumn<float[]>("logits")]);

        float[][] one = [.. scored.GetColumn<float[]>("logits").Zip(scored.GetColumn<float[]>("logits"), (a, b) => a.Zip(b, (x, y) => (x + y) / 2).ToArray())];
        Near.Equal(first, one);
    }

    [Fact]
    public void A_set_of_cursors_returns_every_row_once()
    {
        var scored = sample.Model.Transform(sample.Images);
        var cursors = scored.GetRowCursorSet(scored.Schema, 2);
        var rows = new List<(string Input, float[] Logits)>();
        foreach (var cursor in cursors)
        {
            var pixels = cursor.GetGetter<VBuffer<float>>(scored.Schema["input"]);
            var logits = cursor.GetGetter<VBuffer<float>>(scored.Schema["logits"]);
            VBuffer<float> x = default, y = default;
            while (cursor.MoveNext())
            {
                pixels(ref x);
                logits(ref y);
                rows.Add((Key(x.DenseValues()), [.. y.DenseValues()]));
            }
        }

        foreach (var cursor in cursors)
            cursor.Dispose();
        var byInput = rows.ToDictionary(r => r.Input, r => r.Logits);
        Near.Equal(sample.Score(sample.Model), [.. FashionMnist.Test.Take(20).Select(i => byInput[Key(i.Pixels)])]);

        static string Key(IEnumerable<float> values) => string.Join(' ', values);
    }

    private WeightQuantizingEstimator QuantizeSample() => _ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, QuantizedSample.Options);

    /// <summary>The step in a chain calibrates on the same rows as the step alone, and scores them equally.</summary>
    private void AssertAsAlone(TransformerChain<WeightQuantizingTransformer> chain, IDataView data) => Near.Equal(
        [.. sample.Model.Transform(sample.Calibration).GetColumn<float[]>("logits")],
        [.. chain.Transform(data).GetColumn<float[]>("logits")]);

    private sealed class Pixels
    {
        [VectorType(784)]
        public float[] Values { get; set; } = [];

        public int Label { get; set; }
    }

    private sealed class Halves
    {
        [VectorType(392)]
        public float[] Upper { get; set; } = [];

        [VectorType(392)]
        public float[] Lower { get; set; } = [];
    }

    private sealed class Bytes
    {
        [VectorType(784)]
        public byte[] Values { get; set; } = [];
    }

    private sealed class Input
    {
        [VectorType(784)]
        [ColumnName("input")]
        public float[] Values { get; set; } = [];
    }
}
