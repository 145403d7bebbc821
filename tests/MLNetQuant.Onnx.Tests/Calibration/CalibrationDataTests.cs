using MLNetQuant.Onnx.Calibration;
using MLNetQuant.Onnx.Tests.Models;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.Tests.Calibration;

public class CalibrationDataTests
{
    [Fact]
    public void A_missing_entry_is_named_with_those_that_are_there()
    {
        Assert.Equal(
            "The calibration data has no entry 'x', an input of the model (it has 'X', 'z'): name its entries as the model's inputs.",
            Refusal(("X", Floats(2, 4)), ("z", Floats(2))));
    }

    [Fact]
    public void A_stray_entry_is_named_with_the_inputs()
    {
        Assert.Equal(
            "The calibration data has an entry 'label', which is no input of the model (it takes 'x'): remove or rename it.",
            Refusal(("x", Floats(2, 4)), ("label", Floats(2))));
    }

    [Fact]
    public void An_entry_of_another_type_is_named_with_both_types()
    {
        Assert.Equal(
            "The calibration entry 'x' holds Double values, and the model takes Float: convert it.",
            Refusal(("x", OnnxTensor.Create(new double[8], 2, 4))));
    }

    [Theory]
    [InlineData(2, 5)]
    [InlineData(2, 2, 2)]
    [InlineData(8)]
    public void An_entry_of_another_shape_is_named_with_both_shapes(params int[] shape)
    {
        Assert.Equal(
            $"The calibration entry 'x' has shape [{string.Join(',', shape)}], and the model takes Float[N,4] with rows along the first axis: reshape it.",
            Refusal(("x", Floats([.. shape.Select(s => (long)s)]))));
    }

    [Fact]
    public void No_rows_are_refused() => Assert.Equal(
        "The calibration data has no rows: give at least one.", Refusal(("x", Floats(0, 4))));

    [Fact]
    public void Entries_with_different_numbers_of_rows_are_counted_out()
    {
        var b = new GraphBuilder().Input("x", "N,4").Input("z", "N,3").Weight("W", 4, 3)
            .Node("MatMul", "x,W", "h").Node("Add", "h,z", "y").Output("y");
        Assert.Equal(
            "The calibration entries have different numbers of rows ('x': 5, 'z': 6): give each the same.",
            Refusal(b, 8, null, ("x", Floats(5, 4)), ("z", Floats(6, 3))));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_value_that_is_no_number_is_named_by_row_and_place(float bad)
    {
        var values = new float[40];
        values[30] = bad;
        Assert.Equal(
            "The calibration entry 'x' is NaN or infinite in row 7, value 2: repair or remove that row.",
            Refusal(("x", OnnxTensor.Create(values, 10, 4))));
    }

    [Fact]
    public void A_bad_value_in_a_row_that_is_not_used_does_no_harm()
    {
        var values = new float[40];
        values[30] = float.NaN;
        var (batches, rows) = CalibrationBatches.Cut(
            SmallNets.OneLayer().Build(), CalibrationRows.Of(("x", OnnxTensor.Create(values, 10, 4))), 4, 7);
        Assert.Equal(7, rows);
        Assert.Equal([4L, 3L], batches.Select(b => b["x"].Shape[0]));
    }

    [Fact]
    public void Too_few_rows_for_a_fixed_batch_are_refused()
    {
        var b = new GraphBuilder().Input("x", "8,4").Weight("W", 4, 3).Node("MatMul", "x,W", "y").Output("y");
        Assert.Equal(
            "The model takes batches of exactly 8 rows, and the calibration data has 5: give at least 8.",
            Refusal(b, 32, null, ("x", Floats(5, 4))));
    }

    [Fact]
    public void Fewer_rows_asked_for_than_a_fixed_batch_takes_are_told_from_too_few_rows()
    {
        var b = new GraphBuilder().Input("x", "8,4").Weight("W", 4, 3).Node("MatMul", "x,W", "y").Output("y");
        Assert.Equal(
            "The model takes batches of exactly 8 rows, and Rows is 5: give at least 8.",
            Refusal(b, 32, 5, ("x", Floats(100, 4))));
    }

    [Fact]
    public void A_fixed_batch_rules_and_a_rest_that_does_not_fill_one_is_left()
    {
        var b = new GraphBuilder().Input("x", "8,4").Weight("W", 4, 3).Node("MatMul", "x,W", "y").Output("y");
        var (batches, rows) = CalibrationBatches.Cut(b.Build(), CalibrationRows.Of(("x", Floats(30, 4))), 5, null);
        Assert.Equal(24, rows);
        Assert.Equal([8L, 8L, 8L], batches.Select(t => t["x"].Shape[0]));
    }

    [Fact]
    public void Inputs_with_different_fixed_batches_are_refused()
    {
        var b = new GraphBuilder().Input("x", "2,4").Input("z", "3,4").Weight("W", 4, 3)
            .Node("Concat", "x,z", "h", ("axis", 0L)).Node("MatMul", "h,W", "y").Output("y");
        var message = Refusal(b, 8, null, ("x", Floats(6, 4)), ("z", Floats(6, 4)));
        Assert.Contains("'x'", message, StringComparison.Ordinal);
        Assert.Contains("'z'", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_scalar_is_given_to_every_run_and_rows_are_cut_without_mixing()
    {
        var b = new GraphBuilder().Input("x", "N,4").Input("factor", "").Weight("W", 4, 3)
            .Node("Mul", "x,factor", "h").Node("MatMul", "h,W", "y").Output("y");
        var x = Floats(10, 4);
        var (batches, rows) = CalibrationBatches.Cut(
            b.Build(), CalibrationRows.Of(("x", x), ("factor", OnnxTensor.Create([3f]))), 4, null);
        Assert.Equal(10, rows);
        Assert.All(batches, t => Assert.Equal([3f], t["factor"].Values<float>().ToArray()));
        Assert.Equal(x.Values<float>().ToArray(), batches.SelectMany(t => t["x"].Values<float>().ToArray()));
    }

    [Fact]
    public void Integer_entries_are_cut_as_well()
    {
        var b = new GraphBuilder().Input("i", "N,3", DataType.Int64).Weight("table", 9, 4).Weight("W", 4, 3)
            .Node("Gather", "table,i", "e").Node("MatMul", "e,W", "y").Output("y");
        var data = CalibrationRows.Of(("i", OnnxTensor.Create([.. Enumerable.Range(0, 15).Select(i => i % 9L)], 5, 3)));
        var report = ModelQuantizer.Quantize(b.Build(), data, new QuantizationOptions { BatchSize = 2 }).Report;
        Assert.Equal(5, report.CalibrationRows);
        Assert.Equal([0L, 15], report.Layers.Select(l => l.CalibrationRows));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Rows_along_an_axis_of_the_same_name_are_cut_and_joined_there(bool apart)
    {
        // The state's rows are its second axis; they come there, or each as a whole state of its own.
        var b = new GraphBuilder().Input("x", "batch,4").Input("state", "2,batch,3").Weight("W", 4, 3)
            .Node("MatMul", "x,W", "h").Node("Add", "h,state", "y").Output("y");
        var states = Floats(7, 2, 1, 3);
        var inRows = OnnxTensor.Create(
            [.. from layer in Enumerable.Range(0, 2) from row in Enumerable.Range(0, 7) from i in Enumerable.Range(0, 3) select states.Values<float>()[(((row * 2) + layer) * 3) + i]],
            2, 7, 3);
        var (batches, rows) = CalibrationBatches.Cut(b.Build(), CalibrationRows.Of(("x", Floats(7, 4)), ("state", apart ? states : inRows)), 3, null);
        Assert.Equal(7, rows);
        Assert.Equal([[2L, 3, 3], [2, 3, 3], [2, 1, 3]], batches.Select(batch => batch["state"].Shape));
        Assert.Equal(inRows.Values<float>()[..9].ToArray(), batches[0]["state"].Values<float>()[..9].ToArray());
        Assert.Equal(inRows.Values<float>().Slice(7 * 3, 9).ToArray(), batches[0]["state"].Values<float>()[9..].ToArray());
        Assert.Equal(inRows.Values<float>()[^3..].ToArray(), batches[2]["state"].Values<float>()[3..].ToArray());
    }

    [Fact]
    public void Whole_inputs_without_an_axis_for_rows_are_fed_one_by_one()
    {
        var b = new GraphBuilder().Input("x", "1,4").Input("state", "2,1,3").Weight("W", 4, 3)
            .Node("MatMul", "x,W", "h").Node("Add", "h,state", "y").Output("y");
        var (batches, _) = CalibrationBatches.Cut(b.Build(), CalibrationRows.Of(("x", Floats(5, 4)), ("state", Floats(5, 2, 1, 3))), 32, null);
        Assert.Equal(5, batches.Count);
        Assert.All(batches, batch => Assert.Equal([2L, 1, 3], batch["state"].Shape));
    }

    private static OnnxTensor Floats(params long[] shape) => new GraphBuilder(seed: 3).Rows(shape);

    private static string Refusal(params (string Name, OnnxTensor Value)[] inputs) => Refusal(SmallNets.OneLayer(), 4, null, inputs);

    private static string Refusal(GraphBuilder b, int batchSize, int? rows, params (string Name, OnnxTensor Value)[] inputs) =>
        Assert.Throws<QuantizationException>(() => ModelQuantizer.Quantize(
            b.Build(), CalibrationRows.Of(inputs), new QuantizationOptions { BatchSize = batchSize, Rows = rows })).Message;
}
