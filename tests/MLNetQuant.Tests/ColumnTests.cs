using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;
using DataType = MLNetQuant.Onnx.Proto.TensorProto.Types.DataType;

namespace MLNetQuant.Tests;

public sealed class ColumnTests : IDisposable
{
    private readonly ScratchFolder _folder = new();
    private readonly MLContext _ml = new(seed: 1);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void All_columns_are_taken_when_none_is_named()
    {
        using var model = _ml.Transforms.QuantizeWeights(SmallModels.TwoByTwo(_folder["two.onnx"])).Fit(Pairs());
        AssertScores(model, "sum", "difference");
    }

    [Fact]
    public void All_columns_are_taken_with_options_too()
    {
        using var model = _ml.Transforms.QuantizeWeights(
            SmallModels.TwoByTwo(_folder["two.onnx"]), new QuantizationOptions { Bits = 4 }).Fit(Pairs());
        Assert.All(model.Report.Layers, l => Assert.Equal(4, l.Bits));
        AssertScores(model, "sum", "difference");
    }

    [Fact]
    public void Several_columns_can_be_named_in_any_order()
    {
        using var model = _ml.Transforms.QuantizeWeights(
            ["difference", "sum"], ["b", "a"], SmallModels.TwoByTwo(_folder["two.onnx"])).Fit(Pairs());
        AssertScores(model, "sum", "difference");
    }

    [Fact]
    public void One_of_two_outputs_can_be_taken()
    {
        using var model = _ml.Transforms.QuantizeWeights(
            ["difference"], ["a", "b"], SmallModels.TwoByTwo(_folder["two.onnx"]), new QuantizationOptions { Bits = 4 })
            .Fit(Pairs());
        Assert.Null(model.Transform(Pairs()).Schema.GetColumnOrNull("sum"));
        AssertScores(model, "difference");
    }

    [Fact]
    public void One_input_and_one_output_are_named_directly()
    {
        var rows = SmallModels.Rows(40, 4);
        var data = _ml.Data.LoadFromEnumerable(rows.Select(r => new Vector { X = r }));
        using var model = _ml.Transforms.QuantizeWeights("y", "x", SmallModels.Linear(_folder["x.onnx"], 4)).Fit(data);
        Near.Equal(Raw(model, rows, [1, 4]), Ys(model, data));
    }

    [Fact]
    public void Int64_columns_feed_int64_inputs()
    {
        long[][] rows = [.. Enumerable.Range(0, 40).Select(i => new long[] { i % 3, i % 5, 7, -i })];
        var data = _ml.Data.LoadFromEnumerable(rows.Select(r => new LongVector { X = r }));
        var file = SmallModels.Linear(_folder["long.onnx"], 4, DataType.Int64);
        using var model = _ml.Transforms.QuantizeWeights(file).Fit(data);

        // The same weights behind a float input score the same numbers.
        using var asFloats = _ml.Transforms.QuantizeWeights(SmallModels.Linear(_folder["float.onnx"], 4)).Fit(
            _ml.Data.LoadFromEnumerable(rows.Select(r => new Vector { X = Array.ConvertAll(r, v => (float)v) })));
        Near.Equal(Raw(asFloats, [.. rows.Select(r => Array.ConvertAll(r, v => (float)v))], [1, 4]), Ys(model, data));
    }

    [Theory]
    [InlineData("Double")]
    [InlineData("Int32")]
    [InlineData("Bool")]
    public void Other_number_types_feed_their_inputs(string type)
    {
        var rows = Enumerable.Range(0, 40).Select(i => new Typed
        {
            Double = [i, 1, i % 2, 3],
            Int32 = [i, 1, i % 2, 3],
            Bool = [i % 2 == 0, true, i % 3 == 0, i % 5 == 0],
        }).ToArray();
        var data = _ml.Transforms.CopyColumns("x", type).Fit(_ml.Data.LoadFromEnumerable(rows))
            .Transform(_ml.Data.LoadFromEnumerable(rows));
        using var model = _ml.Transforms.QuantizeWeights(SmallModels.Linear(_folder["typed.onnx"], 4, Enum.Parse<DataType>(type))).Fit(data);
        using var exact = _ml.Transforms.ApplyOnnxModel(_folder["typed.onnx"]).Fit(data);
        var error = Ys(exact, data).Zip(Ys(model, data)).Max(p => p.First.Zip(p.Second).Max(v => MathF.Abs(v.First - v.Second)));
        Assert.InRange(error, 0, 0.5f);
    }

    [Fact]
    public void A_column_of_single_values_feeds_an_input_of_width_one()
    {
        float[][] rows = SmallModels.Rows(40, 1);
        var data = _ml.Data.LoadFromEnumerable(rows.Select(r => new Scalar { X = r[0] }));
        using var model = _ml.Transforms.QuantizeWeights(SmallModels.Linear(_folder["x.onnx"], 1)).Fit(data);
        Near.Equal(Raw(model, rows, [1, 1]), Ys(model, data));
    }

    [Fact]
    public void A_column_of_single_int64_values_feeds_an_int64_input()
    {
        var data = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 40).Select(i => new LongScalar { X = i }));
        using var model = _ml.Transforms.QuantizeWeights(SmallModels.Linear(_folder["x.onnx"], 1, DataType.Int64)).Fit(data);
        var scores = Ys(model, data);
        for (var i = 0; i < scores.Length; i++)
            Assert.All(scores[i].Zip(scores[1]), p => Assert.Equal(i * p.Second, p.First, 1e-4));
    }

    [Fact]
    public void A_model_with_a_fixed_batch_of_one_is_run_row_by_row()
    {
        var rows = SmallModels.Rows(40, 4);
        var data = _ml.Data.LoadFromEnumerable(rows.Select(r => new Vector { X = r }));
        using var model = _ml.Transforms.QuantizeWeights(
            SmallModels.Linear(_folder["one.onnx"], 4, DataType.Float, 1, 4)).Fit(data);
        using var open = _ml.Transforms.QuantizeWeights(SmallModels.Linear(_folder["open.onnx"], 4)).Fit(data);
        Assert.Equal(40, model.Report.CalibrationRows);
        Near.Equal(Raw(model, rows, [1, 4]), Ys(model, data));
        Near.Equal(Ys(open, data), Ys(model, data));
    }

    [Fact]
    public void An_open_second_dimension_takes_its_length_from_the_column()
    {
        var rows = SmallModels.Rows(40, 12);
        var data = _ml.Data.LoadFromEnumerable(rows.Select(r => new Twelve { X = r }));
        using var model = _ml.Transforms.QuantizeWeights(
            SmallModels.Linear(_folder["steps.onnx"], 4, DataType.Float, -1, -1, 4)).Fit(data);
        Assert.Equal(40, model.Report.CalibrationRows);
        Assert.Equal(120, Assert.Single(model.Report.Layers).CalibrationRows);
        Near.Equal(Raw(model, rows, [1, 3, 4]), Ys(model, data));

        _ml.Model.Save(model, data.Schema, _folder["steps.zip"]);
        var loaded = new MLContext().Model.Load(_folder["steps.zip"], out _);
        Near.Equal(Ys(model, data), Ys(loaded, data));
        (loaded as IDisposable)?.Dispose();
    }

    [Fact]
    public void A_key_feeds_the_number_behind_it()
    {
        var data = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 40).Select(i => new Key { X = (uint)(i % 10) }));
        Assert.IsType<KeyDataViewType>(data.Schema["x"].Type);
        using var model = _ml.Transforms.QuantizeWeights(SmallModels.Linear(_folder["x.onnx"], 1, DataType.Uint32)).Fit(data);
        var scores = Ys(model, data);

        // A key of an object counts from 0, and the number that stands for it from 1: 0 is a missing key.
        for (var i = 0; i < scores.Length; i++)
            Assert.All(scores[i].Zip(scores[0]), p => Assert.Equal(((i % 10) + 1) * p.Second, p.First, 1e-4));
    }

    [Fact]
    public void No_names_stand_for_all()
    {
        using var model = _ml.Transforms.QuantizeWeights([], [], SmallModels.TwoByTwo(_folder["two.onnx"])).Fit(Pairs());
        AssertScores(model, "sum", "difference");
    }

    [Fact]
    public void Sparse_vectors_are_read_like_dense_ones()
    {
        float[][] rows = [.. Enumerable.Range(0, 40).Select(i => new[] { 0, i + 1f, 0, i % 3 + 1f })];
        var dense = _ml.Data.LoadFromEnumerable(rows.Select(r => new Vector { X = r }));
        var sparse = _ml.Data.LoadFromEnumerable(rows.Select(r => new SparseVector { X = new(4, 2, [r[1], r[3]], [1, 3]) }));
        Assert.False(_ml.Data.CreateEnumerable<SparseVector>(sparse, reuseRowObject: false).First().X.IsDense);

        var file = SmallModels.Linear(_folder["x.onnx"], 4);
        using var fromDense = _ml.Transforms.QuantizeWeights(file).Fit(dense);
        using var fromSparse = _ml.Transforms.QuantizeWeights(file).Fit(sparse);
        Assert.Equal(Bytes(fromDense), Bytes(fromSparse));
        Near.Equal(Ys(fromDense, dense), Ys(fromSparse, sparse));
    }

    private IDataView Pairs() => _ml.Data.LoadFromEnumerable(
        SmallModels.Rows(40, 4).Zip(SmallModels.Rows(40, 3)).Select(p => new Pair { A = p.First, B = p.Second }));

    private void AssertScores(WeightQuantizingTransformer model, params string[] outputs)
    {
        var scored = _ml.Data.CreateEnumerable<Pair>(model.Transform(Pairs()), reuseRowObject: false).ToArray();
        model.SaveOnnxModel(_folder["pair.quantized.onnx"]);
        var columns = model.Transform(Pairs());
        using var session = new RawSession(_folder["pair.quantized.onnx"]);
        foreach (var output in outputs)
        {
            Near.Equal(
                [.. scored.Select(s => session.Run(output, ("a", s.A, [1, 4]), ("b", s.B, [1, 3])))],
                [.. columns.GetColumn<float[]>(output)]);
        }
    }

    private float[][] Raw(WeightQuantizingTransformer model, float[][] rows, long[] shape)
    {
        model.SaveOnnxModel(_folder["raw.quantized.onnx"]);
        using var session = new RawSession(_folder["raw.quantized.onnx"]);
        return [.. rows.Select(r => session.Run("y", ("x", r, shape)))];
    }

    private byte[] Bytes(WeightQuantizingTransformer model)
    {
        model.SaveOnnxModel(_folder["bytes.onnx"]);
        return File.ReadAllBytes(_folder["bytes.onnx"]);
    }

    private static float[][] Ys(ITransformer model, IDataView data) => [.. model.Transform(data).GetColumn<float[]>("y")];

    private sealed class Vector
    {
        [VectorType(4)]
        [ColumnName("x")]
        public float[] X { get; set; } = [];
    }

    private sealed class Twelve
    {
        [VectorType(12)]
        [ColumnName("x")]
        public float[] X { get; set; } = [];
    }

    private sealed class LongVector
    {
        [VectorType(4)]
        [ColumnName("x")]
        public long[] X { get; set; } = [];
    }

    private sealed class Typed
    {
        [VectorType(4)]
        public double[] Double { get; set; } = [];

        [VectorType(4)]
        public int[] Int32 { get; set; } = [];

        [VectorType(4)]
        public bool[] Bool { get; set; } = [];
    }

    private sealed class Scalar
    {
        [ColumnName("x")]
        public float X { get; set; }
    }

    private sealed class LongScalar
    {
        [ColumnName("x")]
        public long X { get; set; }
    }

    private sealed class Key
    {
        [KeyType(10)]
        [ColumnName("x")]
        public uint X { get; set; }
    }

    private sealed class SparseVector
    {
        [VectorType(4)]
        [ColumnName("x")]
        public VBuffer<float> X { get; set; }
    }
}
