using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Algorithms;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;

namespace MLNetQuant.Tests;

public sealed class FitTests : IDisposable
{
    private readonly ScratchFolder _folder = new();
    private readonly MLContext _ml = new(seed: 1);
    private readonly IDataView _images;

    public FitTests() => _images = _ml.Data.LoadFromEnumerable(FashionMnist.Calibration.Take(64));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Fitting_twice_gives_the_same_bytes_and_leaves_the_estimator_as_it_was()
    {
        var estimator = _ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, Quick);
        var others = _ml.Data.LoadFromEnumerable(FashionMnist.Calibration.Skip(64).Take(64));
        var first = Fit(estimator, _images);
        Assert.NotEqual(first, Fit(estimator, others));
        Assert.Equal(first, Fit(estimator, _images));
    }

    [Fact]
    public void Another_estimator_in_another_context_gives_the_same_bytes()
    {
        var other = new MLContext(seed: 99).Transforms.QuantizeWeights(FashionMnist.ModelFile, Quick);
        Assert.Equal(Fit(_ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, Quick), _images), Fit(other, _images));
    }

    [Fact]
    public void The_number_of_threads_does_not_change_the_bytes()
    {
        var options = Quick with { Algorithm = new Spfq() };
        Assert.Equal(
            Fit(_ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, options with { Threads = 1 }), _images),
            Fit(_ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, options with { Threads = 2 }), _images));
    }

    [Fact]
    public void The_seed_changes_the_draws_of_SPFQ()
    {
        var options = Quick with { Algorithm = new Spfq() };
        Assert.NotEqual(
            Fit(_ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, options with { Seed = 1 }), _images),
            Fit(_ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, options with { Seed = 2 }), _images));
    }

    [Fact]
    public void Rows_are_read_once_and_only_the_needed_column()
    {
        var source = new RecordingDataView(_images);
        using var model = _ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, Quick).Fit(source);
        Assert.Equal(["input"], Assert.Single(source.Cursors));
        Assert.Equal(64, source.RowsRead);
        Assert.Equal(1, source.DisposedCursors);
        Assert.Equal(64, model.Report.CalibrationRows);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(33, 33)]
    [InlineData(64, 64)]
    [InlineData(1000, 64)]
    public void No_more_rows_are_read_than_asked_for(int rows, int read)
    {
        var source = new RecordingDataView(_images);
        using var model = _ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, Quick with { Rows = rows }).Fit(source);
        Assert.Equal(read, source.RowsRead);
        Assert.Equal(read, model.Report.CalibrationRows);
    }

    [Fact]
    public void A_limit_of_rows_takes_the_first_ones_in_order()
    {
        var limited = Fit(_ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, Quick with { Rows = 20 }), _images);
        var first = _ml.Data.LoadFromEnumerable(FashionMnist.Calibration.Take(20));
        Assert.Equal(Fit(_ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, Quick), first), limited);
    }

    [Fact]
    public void Rows_that_earlier_steps_compute_come_in_their_order()
    {
        using var model = _ml.Transforms.CustomMapping<Image, Copy>((image, copy) => copy.Pixels = image.Pixels, contractName: null)
            .Append(_ml.Transforms.CopyColumns("input", "copy"))
            .Append(_ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, Quick))
            .Fit(_images);
        using var alone = _ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, Quick).Fit(_images);
        Assert.Equal(Bytes(alone), Bytes(model.LastTransformer));
    }

    [Fact]
    public void The_schema_that_is_promised_before_fitting_is_the_one_that_comes()
    {
        var estimator = _ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, Quick);
        var promised = estimator.GetOutputSchema(ShapeCapture.Of(_images));
        using var model = estimator.Fit(_images);
        Assert.Equal(ShapeCapture.Describe(ShapeCapture.Of(model.Transform(_images))), ShapeCapture.Describe(promised));
        Assert.Equal(
            model.GetOutputSchema(_images.Schema).Select(c => (c.Name, c.Type)),
            model.Transform(_images).Schema.Select(c => (c.Name, c.Type)));
    }

    [Fact]
    public void The_schema_of_named_columns_is_kept_too()
    {
        var data = _ml.Data.LoadFromEnumerable(SmallModels.Rows(8, 4).Select(r => new Pair { A = r, B = r[..3] }));
        var estimator = _ml.Transforms.QuantizeWeights(["difference"], ["b", "a"], SmallModels.TwoByTwo(_folder["two.onnx"]));
        var promised = estimator.GetOutputSchema(ShapeCapture.Of(data));
        using var model = estimator.Fit(data);
        Assert.Equal(ShapeCapture.Describe(ShapeCapture.Of(model.Transform(data))), ShapeCapture.Describe(promised));
        Assert.Equal(["a", "b", "difference"], promised.Select(c => c.Name).Order());
    }

    [Fact]
    public void Asking_for_the_schema_reads_no_rows_and_does_not_change_the_input_shape()
    {
        var shape = ShapeCapture.Of(_images);
        var before = ShapeCapture.Describe(shape);
        var estimator = _ml.Transforms.QuantizeWeights(FashionMnist.ModelFile);
        Assert.Equal(ShapeCapture.Describe(estimator.GetOutputSchema(shape)), ShapeCapture.Describe(estimator.GetOutputSchema(shape)));
        Assert.Equal(before, ShapeCapture.Describe(shape));
    }

    [Fact]
    public void The_last_of_several_columns_with_the_same_name_is_used()
    {
        var hidden = _ml.Transforms.CopyColumns("kept", "input")
            .Append(_ml.Transforms.CustomMapping<Image, Black>((_, black) => black.Pixels = new float[784], contractName: null));
        var data = hidden.Fit(_images).Transform(_images);
        using var model = _ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, Quick).Fit(data);
        using var onBlack = _ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, Quick).Fit(
            _ml.Data.LoadFromEnumerable(Enumerable.Repeat(new Image { Pixels = new float[784] }, 64)));
        Assert.Equal(Bytes(onBlack), Bytes(model));
    }

    /// <summary>Fewer rows of each layer: the bytes are what matters here.</summary>
    private static QuantizationOptions Quick => new() { RowsPerLayer = 256 };

    private byte[] Fit(WeightQuantizingEstimator estimator, IDataView data)
    {
        using var model = estimator.Fit(data);
        return Bytes(model);
    }

    private byte[] Bytes(WeightQuantizingTransformer model)
    {
        model.SaveOnnxModel(_folder["model.onnx"]);
        return File.ReadAllBytes(_folder["model.onnx"]);
    }

    private sealed class Copy
    {
        [VectorType(784)]
        [ColumnName("copy")]
        public float[] Pixels { get; set; } = [];
    }

    private sealed class Black
    {
        [VectorType(784)]
        [ColumnName("input")]
        public float[] Pixels { get; set; } = [];
    }
}
