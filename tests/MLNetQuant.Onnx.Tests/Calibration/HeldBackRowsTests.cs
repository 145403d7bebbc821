using MLNetQuant.Numerics;
using MLNetQuant.Onnx.Calibration;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Numerics;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Calibration;

public class HeldBackRowsTests
{
    [Theory]
    [InlineData(1000, 50)]
    [InlineData(320, 64)]
    [InlineData(103, 32)]
    public void One_row_in_five_is_held_back_and_both_parts_make_the_whole(int rows, int batch)
    {
        var split = Read(rows, batch, holdBack: true);
        var whole = Read(rows, batch, holdBack: false);
        Assert.Null(whole.HeldBack);
        Assert.NotNull(split.HeldBack);
        Assert.InRange(split.HeldBack.Count, 0.15 * rows, 0.25 * rows);
        Assert.Equal(rows, split.All.Count);
        Assert.Equal(rows, split.Fitted.Count + split.HeldBack.Count);
        Assert.All(whole.All.H.Data.Zip(split.All.H.Data), p => Assert.Equal(p.First, p.Second, 1e-3));
        Assert.All(whole.All.C.Data.Zip(split.All.C.Data), p => Assert.Equal(p.First, p.Second, 1e-3));

        // H of the first input counts rows by their number: the parts are disjoint if the sums differ and add up.
        Assert.NotEqual(split.Fitted.H[0, 0], split.HeldBack.H[0, 0]);
        Assert.Equal(whole.All.H[0, 0], split.Fitted.H[0, 0] + split.HeldBack.H[0, 0], 1e-3);
    }

    [Fact]
    public void Of_few_rows_none_is_held_back() => Assert.Null(Read(99, 30, holdBack: true).HeldBack);

    [Theory]
    [InlineData(3200, 32, 8, new[] { 8, 18, 29, 39, 58, 68, 79, 89 })] // blocks of 64: two batches in ten, of which eight are taken
    [InlineData(640, 32, 8, new[] { 4, 9, 14, 19 })] // blocks of 32
    [InlineData(200, 32, 8, new[] { 4 })] // blocks of 10: only the last batch, of 8 rows, is mostly held back
    [InlineData(100, 32, 8, new[] { 0, 1, 2, 3 })] // fewer than five batches
    [InlineData(10, 32, 8, new[] { 0 })]
    [InlineData(100, 1, 8, new[] { 20, 22, 45, 47, 70, 72, 95, 97 })]
    public void Outputs_are_compared_on_batches_of_rows_held_back(int rows, int batchSize, int limit, int[] expected)
    {
        var chosen = HeldBackRows.Batches(rows, batchSize, limit);
        Assert.Equal(expected, chosen);
    }

    private static SplitStatistics Read(int rows, int batch, bool holdBack)
    {
        var b = new GraphBuilder().Input("x", "N,4").Weight("W", 4, 3).Node("MatMul", "x,W", "y").Output("y");
        var (layers, _) = LayerFinder.Find(new Onnx.Graph.GraphIndex(b.Build().Proto));
        var layer = layers.Single();
        var x = b.Rows(rows, 4);
        OnnxTensor[] batches =
        [
            .. Enumerable.Range(0, (rows + batch - 1) / batch).Select(i => x.Rows(i * batch, Math.Min(batch, rows - (i * batch)))),
        ];
        Matrix<float>[] weights = [layer.Layout.Gather<float>(Onnx.Graph.TensorValues.ReadFloats(layer.Node.Weight), 0)];
        var sampler = new RowSampler(0, 0, [.. batches.Select(t => (int)t.Shape[0])], int.MaxValue);
        using var product = new OnnxRuntimeMatrixProduct();
        ITensorSource[] given = [.. batches.Select(t => new GivenTensor(t))];
        return LayerStatisticsReader.Read(layer, new(given, given), outputs: null, weights, sampler, true, holdBack, product, 1, default)[0];
    }
}
