using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLNetQuant.Batching;
using MLNetQuant.Onnx;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;
using DataType = MLNetQuant.Onnx.Proto.TensorProto.Types.DataType;

namespace MLNetQuant.Tests.Batching;

/// <summary>Models whose rows cannot be scored together give what they give row by row, and say so.</summary>
public sealed class RowByRowTests : IDisposable
{
    private readonly ScratchFolder _folder = new();
    private readonly MLContext _ml = new(seed: 1);
    private readonly List<string> _warnings = [];

    public RowByRowTests() => _ml.Log += (_, e) =>
    {
        if (e is { Kind: ChannelMessageKind.Warning, Source: var source } && source.Contains("MLNetQuant", StringComparison.Ordinal))
            _warnings.Add(e.RawMessage);
    };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_first_axis_of_fixed_length() =>
        AssertRowByRow(SmallModels.Linear(_folder["x.onnx"], 4, DataType.Float, 1, 4), "has a fixed first axis", atOnce: true);

    [Fact]
    public void A_reshape_to_a_constant() => AssertRowByRow(
        Model().Ints("shape", 2, 2).Node("Reshape", "r", "x", "shape").Node("Relu", "y", "r").Output("y", 2, 2).Save(_folder["x.onnx"]),
        "ONNX Runtime cannot run it on several rows at once");

    [Fact]
    public void A_mean_over_the_rows() => AssertRowByRow(
        Model().Ints("zero", 0).Node("ReduceSum", "s", "x", "zero").Node("Sub", "y", "x", "s").Output("y", -1, 4).Save(_folder["x.onnx"]),
        "an operator mixes the rows of a batch");

    [Fact]
    public void A_sum_carried_down_the_rows() => AssertRowByRow(
        Model().Scalar("zero", 0).Node("CumSum", "y", "x", "zero").Output("y", -1, 4).Save(_folder["x.onnx"]),
        "an operator mixes the rows of a batch");

    [Fact]
    public void An_output_whose_first_axis_is_another() => AssertRowByRow(
        Model().Node("Transpose", "y", "x").Output("y", 4, -1).Save(_folder["x.onnx"]),
        "the first axis of the output 'y' is not that of the rows");

    [Fact]
    public void An_output_of_text() => AssertRowByRow(
        Model().Cast("y", "x", DataType.String).Output("y", DataType.String, -1, 4).Save(_folder["x.onnx"]),
        "is no tensor of numbers",
        atOnce: true);

    [Fact]
    public void Outputs_that_are_no_tensors_of_numbers_cannot_be_filled_from_a_batch()
    {
        Assert.True(BatchOutput.Fills(new VectorDataViewType(NumberDataViewType.Single, 3)));
        Assert.False(BatchOutput.Fills(new VectorDataViewType(TextDataViewType.Instance, 3)));
        Assert.False(BatchOutput.Fills(new SequenceType()));
        Assert.False(BatchOutput.Fills(NumberDataViewType.Single));
    }

    [Fact]
    public void Equal_rows_do_not_prove_that_rows_stay_apart()
    {
        // The first batches hold equal rows, which their largest value leaves as they are.
        var file = Model().Ints("zero", 0).Attribute("ReduceMax", "m", ["x"], "axes", 0).Node("Sub", "y", "x", "m").Output("y", -1, 4).Save(_folder["x.onnx"]);
        float[][] rows = [.. Enumerable.Repeat(new float[] { 1, 2, 3, 4 }, 20), .. SmallModels.Rows(20, 4)];
        AssertRowByRow(file, "an operator mixes the rows of a batch", rows: rows, batchSize: 10);
    }

    /// <summary>Sorted rows: those of a part are equal, though those of a batch are not.</summary>
    [Fact]
    public void Equal_rows_of_each_part_prove_nothing_either()
    {
        var file = Model().Ints("zero", 0).Attribute("ReduceMax", "m", ["x"], "axes", 0).Node("Sub", "y", "x", "m").Output("y", -1, 4).Save(_folder["x.onnx"]);
        float[] low = [1, 2, 3, 4], high = [5, 6, 7, 8];
        float[][] rows =
        [
            .. Enumerable.Repeat(low, 16 + 92), .. Enumerable.Repeat(high, 92),
            .. Enumerable.Range(0, 400).Select(i => i / 100 % 2 == 0 ? low : high),
            .. SmallModels.Rows(200, 4),
        ];
        AssertRowByRow(file, "an operator mixes the rows of a batch", rows: rows, batchSize: 200);
    }

    [Fact]
    public void Rows_that_mix_only_later_are_found_later()
    {
        // The rows of the first batch differ, but all have the same largest value.
        var file = Model().Attribute("ReduceMax", "m", ["x"], "axes", 0, 1).Node("Sub", "y", "x", "m").Output("y", -1, 4).Save(_folder["x.onnx"]);
        float[][] rows = [.. Enumerable.Range(0, 10).Select(i => new float[] { 0.1f * i, 2, -i, 1 }), .. SmallModels.Rows(10, 4)];
        AssertRowByRow(file, "an operator mixes the rows of a batch", rows: rows, batchSize: 10);
    }

    [Fact]
    public void Coarse_values_do_not_hide_that_rows_mix()
    {
        var file = Model().Ints("zero", 0).Node("ReduceSum", "s", "x", "zero").Node("Sub", "d", "x", "s")
            .Ints("few", 0).Node("Cast", "zeros", "few").Node("Mul", "none", "d", "zeros").Cast("coarse", "none", DataType.Int64)
            .Output("coarse", DataType.Int64, -1, 4).Output("d", -1, 4).Save(_folder["x.onnx"]);
        var data = View(SmallModels.Rows(50, 4));
        using var model = _ml.Transforms.ApplyOnnxModelBatched(["coarse"], ["x"], file).Fit(data);
        RowValues.Of(model.Transform(data), "coarse");
        Assert.Contains("mixes the rows of a batch (values of the output 'd'", model.Scoring.RowByRowReason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_mask_does_not_hide_that_rows_mix() => AssertRowByRow(
        Model().Ints("zero", 0).Node("ReduceSum", "s", "x", "zero").Node("Sub", "d", "x", "s")
            .Ints("mask", 0, 0, 0, -1_000_000_000).Node("Cast", "masked", "mask").Node("Add", "y", "d", "masked").Output("y", -1, 4).Save(_folder["x.onnx"]),
        "an operator mixes the rows of a batch");

    [Theory]
    [InlineData(40, 30, 16)]
    [InlineData(400, 150, 256)]
    [InlineData(900, 700, null)] // among rows that are scored while others are read
    public void A_row_that_fails_does_not_end_batches_for_the_others(int rows, int wrong, int? batchSize)
    {
        // It asks for an entry that the table does not have.
        var file = new ModelFile().Input("x", DataType.Int64, -1, 1).Weights("W", 10, 5).Node("Gather", "y", "W", "x").Output("y", -1, 1, 5).Save(_folder["x.onnx"]);
        var data = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, rows).Select(i => new Index { X = [i == wrong ? 99 : i % 10] }));
        using var model = _ml.Transforms.ApplyOnnxModelBatched(["y"], ["x"], file, batchSize).Fit(data);
        var view = model.Transform(data);
        using var cursor = view.GetRowCursor(view.Schema);
        var get = cursor.GetGetter<VBuffer<float>>(view.Schema["y"]);
        var failed = new List<long>();
        VBuffer<float> y = default;
        while (cursor.MoveNext())
        {
            try
            {
                get(ref y);
            }
            catch (Microsoft.ML.OnnxRuntime.OnnxRuntimeException)
            {
                failed.Add(cursor.Position);
            }
        }

        Assert.Equal([wrong], failed);
        Assert.Null(model.Scoring.RowByRowReason);
    }

    [Fact]
    public void Activations_quantized_at_run_time_are_scored_in_batches_with_a_remark()
    {
        var file = Model().Weights("W", 4, 5)
            .Quantize("x8", "scale", "zero", "x").Node("DequantizeLinear", "d", "x8", "scale", "zero")
            .Node("MatMul", "y", "d", "W").Output("y", -1, 5).Save(_folder["x.onnx"]);
        var data = View(SmallModels.Rows(100, 4));
        using var model = _ml.Transforms.ApplyOnnxModelBatched(new BatchedOnnxOptions { ModelFile = file, Environment = _ml }).Fit(data);
        var scores = RowValues.Of(model.Transform(data), "y");
        Assert.Null(model.Scoring.RowByRowReason);
        Assert.Contains("DynamicQuantizeLinear", model.Scoring.Remark, StringComparison.Ordinal);
        Assert.Equal(model.Scoring.Remark, Assert.Single(_warnings));
        using var rowByRow = _ml.Transforms.ApplyOnnxModel(file).Fit(data);
        RowValues.AssertNear(RowValues.Of(rowByRow.Transform(data), "y"), scores, tolerance: 0.05f);
    }

    [Fact]
    public void Activations_rounded_on_fixed_scales_are_scored_in_batches_with_a_remark()
    {
        var told = new List<string>();
        _ml.Log += (_, e) =>
        {
            if (e.Kind == ChannelMessageKind.Info && e.Source.Contains("Batched scoring", StringComparison.Ordinal))
                told.Add(e.RawMessage);
        };
        var file = SmallModels.Linear(_folder["x.onnx"], 4);
        var data = View(SmallModels.Rows(100, 4));
        using var model = _ml.Transforms.QuantizeWeights(file, new QuantizationOptions { Format = WeightFormat.Integer }).Fit(data);
        Assert.EndsWith("may move a score by a step.", model.Scoring.Remark, StringComparison.Ordinal);
        Assert.Null(model.Scoring.RowByRowReason);
        Assert.DoesNotContain(model.Scoring.Remark, _warnings);
        using var batched = model.Batched(environment: _ml);
        Assert.Equal(Assert.Single(batched.Steps).Remark, told[^1]);
        RowValues.AssertNear(RowValues.Of(model.Transform(data), "y"), RowValues.Of(batched.Transform(data), "y"));
    }

    [Fact]
    public void The_model_is_not_kept_once_rows_are_scored_one_by_one()
    {
        var file = Model().Node("Relu", "y", "x").Output("y", -1, 4).Save(_folder["x.onnx"]);
        var (model, bytes) = Read();
        model.ScoreRowByRow("of a test");
        GC.Collect();
        Assert.False(bytes.IsAlive);
        Assert.False(model.TryOpen(threads: null));
        model.Dispose();

        [MethodImpl(MethodImplOptions.NoInlining)]
        (BatchedModel Model, WeakReference Bytes) Read()
        {
            var onnx = new Lazy<OnnxModel>(() => OnnxModel.Load(file));
            return (new("x", BatchedModelSource.FromFile(onnx, file, new Dictionary<string, int[]>(), default, null), null), new(onnx.Value));
        }
    }

    [Fact]
    public void A_quantized_model_tells_the_log_of_its_context()
    {
        var file = Model().Weights("W", 4, 5).Node("MatMul", "p", "x", "W").Scalar("zero", 0).Node("CumSum", "y", "p", "zero").Output("y", -1, 5).Save(_folder["x.onnx"]);
        var data = View(SmallModels.Rows(50, 4));
        using var model = _ml.Transforms.QuantizeWeights("y", "x", File.ReadAllBytes(file), context: _ml).Fit(data);
        _warnings.Clear();
        RowValues.Of(model.Transform(data), "y");
        Assert.Contains("an operator mixes the rows of a batch", model.Scoring.RowByRowReason, StringComparison.Ordinal);
        Assert.Equal(model.Scoring.RowByRowReason, Assert.Single(_warnings));
    }

    [Fact]
    public void Columns_that_do_not_tell_the_shape_are_scored_row_by_row_and_others_in_batches()
    {
        // ML.NET fills the open axis from vectors of unknown length; those of known length need a shape given to the step.
        var file = new ModelFile().Input("x", DataType.Float, -1, -1, 2).Node("Relu", "y", "x").Output("y", -1, -1, 2).Save(_folder["x.onnx"]);
        var open = _ml.Data.LoadFromEnumerable(SmallModels.Rows(30, 4).Select(x => new Open { X = x }).ToArray());
        var fixedLength = View(SmallModels.Rows(30, 4));
        using var model = _ml.Transforms.ApplyOnnxModelBatched(new BatchedOnnxOptions { ModelFile = file, Environment = _ml }).Fit(open);
        for (var pass = 0; pass < 2; pass++)
        {
            model.Transform(fixedLength);
            Assert.Contains("does not tell the shape of the input 'x'", model.Scoring.RowByRowReason, StringComparison.Ordinal);
            Assert.Equal(pass + 1, _warnings.Count);
            Assert.Equal(model.Scoring.RowByRowReason, _warnings[^1]);

            var data = new RecordingDataView(open);
            var view = model.Transform(data);
            Assert.Null(model.Scoring.RowByRowReason);
            using var cursor = view.GetRowCursor([view.Schema["y"]]);
            Assert.True(cursor.MoveNext());
            Assert.Equal(16, data.RowsRead);
        }
    }

    private static ModelFile Model() => new ModelFile().Input("x", DataType.Float, -1, 4);

    private void AssertRowByRow(string file, string reason, bool atOnce = false, float[][]? rows = null, int batchSize = 256)
    {
        var data = View(rows ?? SmallModels.Rows(50, 4));
        using var rowByRow = _ml.Transforms.ApplyOnnxModel(file).Fit(data);
        using var model = _ml.Transforms.ApplyOnnxModelBatched(
            new BatchedOnnxOptions { ModelFile = file, BatchSize = batchSize, Environment = _ml }).Fit(data);
        var expected = RowValues.Of(rowByRow.Transform(data));
        var view = model.Transform(data);
        Assert.Equal(atOnce, model.Scoring.RowByRowReason is not null);

        // The cursor that finds out goes on row by row, and so do those after it.
        for (var pass = 0; pass < 2; pass++)
        {
            RowValues.AssertNear(expected, RowValues.Of(view));
            Assert.Contains(reason, model.Scoring.RowByRowReason, StringComparison.Ordinal);
            Assert.StartsWith($"{file}: rows are scored one by one, because ", model.Scoring.RowByRowReason, StringComparison.Ordinal);
        }

        Assert.Equal(model.Scoring.RowByRowReason, Assert.Single(_warnings));
    }

    private IDataView View(float[][] rows) => _ml.Data.LoadFromEnumerable(rows.Select(x => new Row { X = x }));

    private sealed class Row
    {
        [VectorType(4)]
        [ColumnName("x")]
        public float[] X { get; set; } = [];
    }

    private sealed class Open
    {
        [ColumnName("x")]
        public float[] X { get; set; } = [];
    }

    private sealed class Index
    {
        [VectorType(1)]
        [ColumnName("x")]
        public long[] X { get; set; } = [];
    }

    private sealed class SequenceType() : StructuredDataViewType(typeof(IEnumerable<float>))
    {
        public override bool Equals(DataViewType? other) => other is SequenceType;
    }
}
