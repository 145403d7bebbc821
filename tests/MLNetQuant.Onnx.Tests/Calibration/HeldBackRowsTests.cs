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
        return LayerStatisticsReader.Read(layer, new(batches, batches), outputs: null, weights, sampler, true, holdBack, product, 1, default)[0];
    }
}
