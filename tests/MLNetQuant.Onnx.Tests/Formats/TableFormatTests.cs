using MLNetQuant.Grids;
using MLNetQuant.Onnx.Tests.Models;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.Tests.Formats;

/// <summary>Tables that are looked up before they are decoded give the very values of the float format.</summary>
public class TableFormatTests
{
    public static TheoryData<int, string, ZeroPointRule, WeightFormat, string, string> Cases => new()
    {
        { 8, "channel", ZeroPointRule.None, WeightFormat.Folded, "rows", "Gather Cast Gather Mul" },
        { 8, "channel", ZeroPointRule.Range, WeightFormat.Auto, "rows", "Gather Cast Gather Cast Sub Gather Mul" },
        { 8, "tensor", ZeroPointRule.None, WeightFormat.Dynamic, "rows", "Gather Cast Mul" },
        { 8, "tensor", ZeroPointRule.Range, WeightFormat.Packed, "rows", "Gather Cast Sub Mul" },
        { 8, "block:1000", ZeroPointRule.None, WeightFormat.Folded, "rows", "Gather Cast Gather Mul" },
        { 8, "block:16", ZeroPointRule.None, WeightFormat.Folded, "folded", "Cast Mul Reshape Slice Reshape Gather" },
        { 4, "channel", ZeroPointRule.None, WeightFormat.Packed, "packed", "GatherBlockQuantized" },
        { 4, "channel", ZeroPointRule.Range, WeightFormat.Packed, "packed", "GatherBlockQuantized" },
        { 4, "tensor", ZeroPointRule.Range, WeightFormat.Packed, "packed", "GatherBlockQuantized" },
        { 4, "block:16", ZeroPointRule.None, WeightFormat.Packed, "packed", "GatherBlockQuantized" },
        { 2, "block:32", ZeroPointRule.Automatic, WeightFormat.Packed, "packed", "GatherBlockQuantized" },
        { 5, "channel", ZeroPointRule.None, WeightFormat.Packed, "folded", "" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Rows_are_those_of_the_float_format(int bits, string granularity, ZeroPointRule zeroPoint, WeightFormat format, string name, string operators)
    {
        foreach (var shape in new[] { "N", "N,3", "N,2,2" })
        {
            var b = new GraphBuilder().Input("i", shape, DataType.Int64).Weight("E", 50, 70).Node("Gather", "E,i", "y").Output("y");
            var model = b.Build();
            long[] extents = [.. shape.Split(',').Select(e => e == "N" ? 20 : long.Parse(e))];
            var rows = OnnxTensor.Create([.. Enumerable.Range(0, (int)extents.Aggregate(1L, (a, e) => a * e)).Select(i => i * 7 % 50L)], extents);
            var options = new QuantizationOptions { Bits = bits, Granularity = Granularity.Parse(granularity), ZeroPoint = zeroPoint };
            var plain = ModelQuantizer.Quantize(model, CalibrationRows.Of(("i", rows)), options with { Format = WeightFormat.Float });
            var result = ModelQuantizer.Quantize(model, CalibrationRows.Of(("i", rows)), options with { Format = format });
            Assert.Equal((name, null), (result.Report.Layers[0].Format, result.Report.Layers[0].Activations));
            if (operators.Length > 0)
                Assert.Equal(operators.Split(' '), result.Model.Proto.Graph.Node.Select(n => n.OpType));
            var expected = Runtime.Run(plain.Model, "y", ("i", rows));
            Assert.Equal(expected, Runtime.Run(result.Model, "y", ("i", rows)));
            Assert.NotEqual(Runtime.Run(model, "y", ("i", rows)), expected);
            Assert.DoesNotContain(result.Model.Proto.Graph.Initializer, i => i.Name == "E");
        }
    }

    [Fact]
    public void A_table_of_odd_rows_is_folded_at_four_bits()
    {
        var b = new GraphBuilder().Input("i", "N", DataType.Int64).Weight("E", 50, 33).Node("Gather", "E,i", "y").Output("y");
        var rows = OnnxTensor.Create([3L, 4L, 49L], 3);
        var result = ModelQuantizer.Quantize(b.Build(), CalibrationRows.Of(("i", rows)), new() { Bits = 4, Format = WeightFormat.Packed });
        Assert.Equal("folded", result.Report.Layers[0].Format);
    }
}
