using MLNetQuant.Numerics;
using MLNetQuant.Onnx.Calibration;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Numerics;
using MLNetQuant.Onnx.Tests.Models;
using MLNetQuant.Statistics;

namespace MLNetQuant.Onnx.Tests.Calibration;

/// <summary>Statistics from a layer's outputs against those from its inputs alone, and against fp64.</summary>
public class LayerOutputsTests
{
    [Theory]
    [InlineData("plain", false)]
    [InlineData("plain", true)]
    [InlineData("scaled", true)]
    [InlineData("scaled", false)]
    [InlineData("grouped", true)]
    [InlineData("grouped", false)]
    public void They_give_the_statistics_that_the_inputs_give(string kind, bool crossGram)
    {
        var layer = OneLayer.Create(kind, bias: 1);
        var given = layer.Read(crossGram, withOutputs: true);
        var computed = layer.Read(crossGram, withOutputs: false);
        for (var g = 0; g < given.Length; g++)
        {
            Assert.Equal(computed[g].Count, given[g].Count);
            Close(computed[g].H.Data, given[g].H.Data, 0);
            Close(computed[g].C.Data, given[g].C.Data, 1e-5);
            Close(computed[g].OutputEnergy, given[g].OutputEnergy, 1e-5);
            Close(computed[g].OutputMean, given[g].OutputMean, 0);
            Close(layer.EnergyInFp64(g), given[g].OutputEnergy, 1e-5);
        }
    }

    /// <summary>About 50 times the outputs: still subtracted, and lost in the noise of single precision.</summary>
    [Theory]
    [InlineData("plain")]
    [InlineData("scaled")]
    [InlineData("grouped")]
    public void A_bias_below_the_limit_costs_no_digits_that_matter(string kind)
    {
        var layer = OneLayer.Create(kind, bias: 50);
        Assert.True(layer.Reads());
        var given = layer.Read(crossGram: false, withOutputs: true);
        for (var g = 0; g < given.Length; g++)
            Close(layer.EnergyInFp64(g), given[g].OutputEnergy, 1e-5);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("scaled")]
    [InlineData("grouped")]
    public void Beside_a_huge_bias_the_outputs_are_computed(string kind)
    {
        var layer = OneLayer.Create(kind, bias: 1e6f);
        Assert.False(layer.Reads());
        var given = layer.Read(crossGram: false, withOutputs: true);
        var computed = layer.Read(crossGram: false, withOutputs: false);
        for (var g = 0; g < given.Length; g++)
        {
            Assert.Equal(computed[g].C.Data, given[g].C.Data);
            Close(computed[g].OutputEnergy, given[g].OutputEnergy, 0);
        }
    }

    private static void Close(double[] expected, double[] actual, double precision)
    {
        var largest = expected.Max(Math.Abs);
        Assert.All(expected.Zip(actual), p => Assert.Equal(p.First, p.Second, precision * largest));
    }

    /// <summary>A model of one layer on rows that differ between the streams.</summary>
    private sealed record OneLayer(OnnxModel Model, OnnxTensor[] Float, OnnxTensor[] Quantized, OnnxTensor[] Outputs)
    {
        private readonly GraphIndex _index = new(Model.Proto);

        private LayerInputs Inputs => new(Given(Float), Given(Quantized)) { FloatOutputs = Given(Outputs) };

        private ILayer Layer => LayerFinder.Find(_index).Layers.Single();

        /// <param name="kind">Which layer; its outputs have a root mean square of 1 or so, on average.</param>
        /// <param name="bias">Size of its bias.</param>
        public static OneLayer Create(string kind, float bias)
        {
            var b = new GraphBuilder(seed: 3);
            float[] Bias(int count, float beta) => [.. Enumerable.Range(0, count).Select(i => (i % 2 == 0 ? bias : -bias) / beta)];
            (long[] shape, _) = kind switch
            {
                "plain" => (new long[] { 400, 12 }, b.Weight("W", 12, 8).Constant("b", Bias(8, 1), 8).Node("Gemm", "x,W,b", "y")),
                "scaled" => ([400, 12], b.Weight("W", 8, 12).Constant("b", Bias(8, -0.5f), 1, 8)
                    .Node("Gemm", "x,W,b", "y", ("transB", 1L), ("alpha", 1.5f), ("beta", -0.5f))),
                _ => ([6, 4, 9, 8], b.Weight("W", 6, 2, 3, 3).Constant("b", Bias(6, 1), 6)
                    .Node("Conv", "x,W,b", "y", ("group", 2L), ("pads", new long[] { 1, 1, 0, 1 }), ("strides", new long[] { 1, 2 }))),
            };
            var model = b.Input("x", string.Join(',', shape.Skip(1).Prepend(-1)).Replace("-1", "N")).Output("y").Build();
            var (x, drift) = (b.Rows(shape), b.Rows(shape));
            var moved = OnnxTensor.Create(x.Values<float>().ToArray().Zip(drift.Values<float>().ToArray(), (v, d) => v + (0.1f * d)).ToArray(), shape);
            var size = (int)shape[0] / 2;
            OnnxTensor[] batches = [x.Rows(0, size), x.Rows(size, (int)shape[0] - size)];
            return new(
                model,
                batches,
                [moved.Rows(0, size), moved.Rows(size, (int)shape[0] - size)],
                [.. batches.Select(batch => Runtime.Run(model.Proto, new Dictionary<string, OnnxTensor> { ["x"] = batch })["y"])]);
        }

        public LayerStatistics[] Read(bool crossGram, bool withOutputs)
        {
            var inputs = Inputs;
            using var product = new OnnxRuntimeMatrixProduct();
            var sampler = new RowSampler(0, 0, [.. Float.Select(t => Layer.CountRows(t.Shape))], 180);
            var read = LayerStatisticsReader.Read(
                Layer, inputs, withOutputs ? LayerOutputs.Of(Layer, inputs, _index) : null, Weights(), sampler, crossGram, false, product, 2, default);
            return [.. read.Select(s => s.All)];
        }

        private static ITensorSource[] Given(OnnxTensor[] batches) => [.. batches.Select(b => new GivenTensor(b))];

        /// <summary>Whether the outputs of all groups are precise enough.</summary>
        public bool Reads()
        {
            var outputs = LayerOutputs.Of(Layer, Inputs, _index)!;
            int[] rows = [.. Enumerable.Range(0, Layer.CountRows(Float[0].Shape))];
            var y = new float[rows.Length * Layer.Layout.Outputs];
            return Enumerable.Range(0, Layer.Layout.Groups).All(g => outputs.TryRead(Outputs[0], rows, g, y));
        }

        /// <summary>Σ (XW)² of the sampled rows.</summary>
        public double[] EnergyInFp64(int group)
        {
            var sampler = new RowSampler(0, 0, [.. Float.Select(t => Layer.CountRows(t.Shape))], 180);
            var w = Weights()[group];
            var energy = new double[w.Columns];
            for (var batch = 0; batch < Float.Length; batch++)
            {
                var rows = sampler.Choose(batch);
                var x = new float[rows.Length * w.Rows];
                Layer.Unfold(Float[batch], rows, group, x);
                for (var i = 0; i < rows.Length; i++)
                {
                    for (var j = 0; j < w.Columns; j++)
                    {
                        var sum = 0.0;
                        for (var t = 0; t < w.Rows; t++)
                            sum += (double)x[(i * w.Rows) + t] * w[t, j];
                        energy[j] += sum * sum;
                    }
                }
            }

            return energy;
        }

        private Matrix<float>[] Weights()
        {
            var values = TensorValues.ReadFloats(Layer.Node.Weight);
            return [.. Enumerable.Range(0, Layer.Layout.Groups).Select(g => Layer.Layout.Gather<float>(values, g))];
        }
    }
}
