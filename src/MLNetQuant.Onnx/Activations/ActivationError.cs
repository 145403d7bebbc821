using MLNetQuant.Numerics;
using MLNetQuant.Onnx.Calibration;
using MLNetQuant.Onnx.Formats;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Numerics;

namespace MLNetQuant.Onnx.Activations;

/// <summary>Measures what a format's rounding of activations does to the outputs of a layer: ‖(X̃ − X̂)Q‖ / ‖X̃Q‖, X̂ being X̃ rounded.</summary>
internal sealed class ActivationError(GraphIndex index, QuantizationOptions options, OnnxRuntimeMatrixProduct product)
{
    /// <param name="result">The layer and its codes.</param>
    /// <param name="number">Its place among the quantized layers, the key of its random numbers.</param>
    /// <param name="inputs">Its input, not rounded, and its float outputs where these are rounded as well.</param>
    /// <param name="format">The format.</param>
    /// <returns>The relative error; null where activations stay float.</returns>
    public double? Measure(QuantizedLayer result, int number, LayerInputs inputs, IWeightFormat format)
    {
        if (format.Activations is null)
            return null;
        var layer = result.Layer;
        int[] rows = [.. inputs.Quantized.Select(x => layer.CountRows(x.Shape))];
        var sampler = new RowSampler(options.Seed, number, rows, options.RowsPerLayer);
        var round = format.Rounding(result);
        var rounded = new LayerInputs(inputs.Quantized, [.. inputs.Quantized.Select(x => new RoundedTensor(x, round))]);
        var samples = RowSample.Read(layer, rounded, sampler);
        var (error, energy) = (0.0, 0.0);
        for (var g = 0; g < samples.Length; g++)
        {
            var weights = result.Dequantize(g);
            var (exact, difference) = (samples[g].Float, samples[g].Quantized);
            for (var i = 0; i < exact.Length; i++)
                difference[i] -= exact[i];
            error += Energy(difference, weights);
            energy += Energy(exact, weights);
        }

        var ofInput = GroupResult.Ratio(error, energy);
        return result.Activations?.Output is { } grid && format.RoundsOutput(layer)
            ? Math.Sqrt((ofInput * ofInput) + OfOutput(layer, inputs.FloatOutputs!, grid))
            : ofInput;
    }

    /// <summary>The squared relative error of rounding the outputs.</summary>
    private double OfOutput(Layers.ILayer layer, IReadOnlyList<ITensorSource> outputs, ActivationGrid grid)
    {
        var place = OutputPlace.Of(layer, index);
        var sums = new (double Error, double Energy)[outputs.Count];
        ParallelWork.For(
            outputs.Count,
            options.Threads,
            b =>
            {
                var (error, energy) = (0.0, 0.0);
                foreach (var value in outputs[b].Read().Values<float>())
                {
                    var clipped = Math.Min(Math.Max(value, place.Low), place.High);
                    var difference = grid.Round((float)clipped) - clipped;
                    (error, energy) = (error + (difference * difference), energy + (clipped * clipped));
                }

                sums[b] = (error, energy);
            },
            options.CancellationToken);
        var (all, whole) = (sums.Sum(s => s.Error), sums.Sum(s => s.Energy));
        return whole > 0 ? all / whole : 0;
    }

    /// <summary>‖XQ‖².</summary>
    private double Energy(float[] rows, Matrix<float> weights)
    {
        var outputs = new Matrix<float>(rows.Length / weights.Rows, weights.Columns);
        LayerStatisticsReader.Engine(weights.Rows, product, options.Threads)
            .Multiply(rows, weights.Data, outputs.Rows, weights.Rows, weights.Columns, outputs.Data);
        return outputs.Data.Sum(v => (double)v * v);
    }
}
