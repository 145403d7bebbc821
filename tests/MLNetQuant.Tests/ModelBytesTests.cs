using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;

namespace MLNetQuant.Tests;

/// <summary>A model in memory instead of a file.</summary>
public sealed class ModelBytesTests : IDisposable
{
    private readonly ScratchFolder _folder = new();
    private readonly MLContext _ml = new(seed: 1);
    private readonly IDataView _rows;
    private readonly byte[] _model;

    public ModelBytesTests()
    {
        _model = File.ReadAllBytes(SmallModels.TwoByTwo(_folder["model.onnx"]));
        var (a, b) = (SmallModels.Rows(60, 4), SmallModels.Rows(60, 3, seed: 2));
        _rows = _ml.Data.LoadFromEnumerable(a.Zip(b, (x, y) => new Row { A = x, B = y }));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Bytes_and_streams_give_what_the_file_gives()
    {
        using var file = _ml.Transforms.QuantizeWeights(_folder["model.onnx"], new QuantizationOptions { Bits = 4 }).Fit(_rows);
        var expected = Bytes(file);
        foreach (var estimator in new[]
        {
            _ml.Transforms.QuantizeWeights(_model, new() { Bits = 4 }),
            _ml.Transforms.QuantizeWeights(new MemoryStream(_model), new() { Bits = 4 }),
            _ml.Transforms.QuantizeWeights([], [], _model, new() { Bits = 4 }),
            _ml.Transforms.QuantizeWeights([], [], new MemoryStream(_model), new() { Bits = 4 }),
        })
        {
            using var model = estimator.Fit(_rows);
            Assert.Equal(expected, Bytes(model));
            Assert.Equal(["a", "b", "sum", "difference"], Names(model));
        }
    }

    [Fact]
    public void Columns_can_be_chosen()
    {
        using var several = _ml.Transforms.QuantizeWeights(["sum"], ["a", "b"], _model).Fit(_rows);
        Assert.Equal(["sum"], Names(several).Where(n => n.Length > 1));
        var linear = File.ReadAllBytes(SmallModels.Linear(_folder["linear.onnx"], 4));
        var rows = _ml.Data.LoadFromEnumerable(SmallModels.Rows(40, 4).Select(r => new Single { X = r }));
        using var fromBytes = _ml.Transforms.QuantizeWeights("y", "x", linear).Fit(rows);
        using var fromStream = _ml.Transforms.QuantizeWeights("y", "x", new MemoryStream(linear)).Fit(rows);
        Near.Equal([.. fromBytes.Transform(rows).GetColumn<float[]>("y")], [.. fromStream.Transform(rows).GetColumn<float[]>("y")]);
    }

    [Fact]
    public void They_are_read_at_once()
    {
        byte[] bytes = [.. _model];
        var estimator = _ml.Transforms.QuantizeWeights(bytes);
        Array.Clear(bytes);
        using (estimator.Fit(_rows))
        {
        }

        using var stream = new MemoryStream([1, 2, 3, .. _model]);
        stream.Position = 3;
        estimator = _ml.Transforms.QuantizeWeights(stream);
        Assert.Equal(stream.Length, stream.Position);
        stream.Dispose();
        using (estimator.Fit(_rows))
        {
        }
    }

    [Fact]
    public void The_promised_columns_are_those_of_the_file()
    {
        var shape = ShapeCapture.Of(_rows);
        Assert.Equal(
            ShapeCapture.Describe(_ml.Transforms.QuantizeWeights(_folder["model.onnx"]).GetOutputSchema(shape)),
            ShapeCapture.Describe(_ml.Transforms.QuantizeWeights(_model).GetOutputSchema(shape)));
    }

    [Fact]
    public void Bad_bytes_are_refused()
    {
        Assert.Equal(
            "The model 'model' is empty: give a complete ONNX file.",
            Assert.Throws<QuantizationException>(() => _ml.Transforms.QuantizeWeights(Array.Empty<byte>()).Fit(_rows)).Message);
        Assert.Equal(
            "The model 'model' is truncated or not an ONNX file: give a complete ONNX file.",
            Assert.Throws<QuantizationException>(() => _ml.Transforms.QuantizeWeights(new MemoryStream(_model[..^20])).Fit(_rows)).Message);
        Assert.Throws<ArgumentNullException>(() => _ml.Transforms.QuantizeWeights((byte[])null!));
        Assert.Throws<ArgumentNullException>(() => _ml.Transforms.QuantizeWeights((Stream)null!));
    }

    private byte[] Bytes(WeightQuantizingTransformer model)
    {
        model.SaveOnnxModel(_folder["quantized.onnx"]);
        return File.ReadAllBytes(_folder["quantized.onnx"]);
    }

    private IEnumerable<string> Names(WeightQuantizingTransformer model) => model.GetOutputSchema(_rows.Schema).Select(c => c.Name);

    private sealed class Row
    {
        [VectorType(4)]
        [ColumnName("a")]
        public float[] A { get; set; } = [];

        [VectorType(3)]
        [ColumnName("b")]
        public float[] B { get; set; } = [];
    }

    private sealed class Single
    {
        [VectorType(4)]
        [ColumnName("x")]
        public float[] X { get; set; } = [];
    }
}
