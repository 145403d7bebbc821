using Microsoft.ML.OnnxRuntime;
using MLNetQuant.Algorithms;
using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Onnx;
using MLNetQuant.Statistics;

namespace MLNetQuant.PublicApi.Tests;

/// <summary>Algorithms written outside the product, on its public types alone.</summary>
public class OutsideQuantizerTests
{
    private const int Rows = 40;

    [Fact]
    public void One_quantizes_a_model_which_then_computes_with_the_weights_that_follow_by_hand()
    {
        var random = new Random(1);
        var (w1, w2) = (Uniform(random, 6, 9), Uniform(random, 9, 4));
        var rows = Uniform(random, Rows, 6).Cast<float>().ToArray();
        var model = OnnxModel.Parse(OnnxBytes.TwoLayers(w1, w2));
        var calibration = new CalibrationData(new Dictionary<string, OnnxTensor> { ["x"] = OnnxTensor.Create(rows, Rows, 6) });
        var options = new QuantizationOptions { Bits = 4, Algorithm = new ErrorDiffusion(), ScaleRule = ScaleRule.AbsMax, BiasCorrection = false };
        var quantized = ModelQuantizer.Quantize(model, calibration, options);

        Assert.Equal(["error-diffusion", "error-diffusion"], quantized.Report.Layers.Select(l => l.Algorithm));
        Assert.All(quantized.Report.Layers, layer => Assert.Null(layer.Certificate));
        var byHand = Run(OnnxBytes.TwoLayers(Diffused(w1), Diffused(w2)), rows);
        Assert.Equal(byHand, Run(quantized.Model.ToBytes(), rows));
        Assert.NotEqual(Run(model.ToBytes(), rows), byHand);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(0.3f)]
    public void One_on_the_core_alone_finds_what_the_product_finds(float drift)
    {
        var random = new Random(2);
        var (inputs, outputs) = (12, 7);
        var weights = new Matrix<float>(inputs, outputs, [.. Uniform(random, inputs, outputs).Cast<float>()]);
        var x = Uniform(random, Rows, inputs).Cast<float>().ToArray();
        var tilde = x.Zip(Uniform(random, Rows, inputs).Cast<float>(), (a, b) => a + (drift * b)).ToArray();
        var accumulator = new LayerStatisticsAccumulator(weights, crossGram: true, new ManagedMatrixProduct());
        accumulator.Add(x, tilde, Rows);
        var problem = new LayerProblem(weights, accumulator.ToStatistics());
        foreach (var alphabet in new[] { Alphabet.OfBits(1), Alphabet.OfBits(3), Alphabet.OfPaper(2) })
        {
            var recipe = new GridRecipe(alphabet, Granularity.PerBlock(5), ScaleRule.WeightedMse) { ZeroPoint = ZeroPointRule.Range };
            var expected = new Gpfq().Quantize(problem, recipe, new());
            var actual = new GreedyFromGram().Quantize(problem, recipe, new());
            Assert.Equal(expected.Codes.Data, actual.Codes.Data);
            Assert.Equal(expected.Clipped, actual.Clipped);
            Assert.Equal(
                MeasuredError.Relative(problem.Statistics, expected.Dequantize()),
                MeasuredError.Relative(problem.Statistics, actual.Dequantize()));
        }
    }

    /// <summary>Four bits per output, the smallest scale that clips nothing, the error carried on.</summary>
    private static float[,] Diffused(float[,] w)
    {
        var result = new float[w.GetLength(0), w.GetLength(1)];
        for (var i = 0; i < w.GetLength(1); i++)
        {
            var column = Enumerable.Range(0, w.GetLength(0)).Select(t => w[t, i]).ToArray();
            var scale = column.Max(v => v > 0 ? v / 7 : v / -8);
            var carried = 0.0;
            for (var t = 0; t < column.Length; t++)
            {
                var wanted = column[t] + carried;
                result[t, i] = (float)Math.Clamp(Math.Floor((wanted / scale) + 0.5), -8, 7) * scale;
                carried = wanted - result[t, i];
            }
        }

        return result;
    }

    private static float[] Run(byte[] model, float[] rows)
    {
        using var session = new InferenceSession(model);
        using var options = new RunOptions();
        using var x = OrtValue.CreateTensorValueFromMemory(rows, [Rows, 6]);
        using var results = session.Run(options, new Dictionary<string, OrtValue> { ["x"] = x }, ["y"]);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }

    private static float[,] Uniform(Random random, int rows, int columns)
    {
        var values = new float[rows, columns];
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
                values[i, j] = (2 * random.NextSingle()) - 1;
        }

        return values;
    }
}
