using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Onnx.Formats;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Statistics;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>
/// Rounds tables that are looked up. A row of a table is used as it stands, so that no calibration row says which of its
/// errors matter: every number is rounded to nearest, on the scale with the least squared error. Nothing makes up for its
/// errors either, so that a table takes four bits at least.
/// </summary>
internal sealed class TableQuantizer(QuantizationOptions options)
{
    /// <summary>Below so many bits rows of a table are told apart badly.</summary>
    public const int LeastBits = 4;

    private readonly Msq _algorithm = new();

    /// <summary>Quantizes a table.</summary>
    public LayerResult Quantize(ILayer layer)
    {
        var weights = layer.Layout.Gather<float>(TensorValues.ReadFloats(layer.Node.Weight), 0);
        if (!Array.TrueForAll(weights.Data, float.IsFinite))
        {
            throw new QuantizationException(
                $"The weight '{layer.Node.Weight.Name}' of layer '{layer.Node.Name}' holds NaN or infinite values: repair the model, or exclude the layer.");
        }

        var bits = Math.Max(options.Bits, LeastBits);
        var recipe = new GridRecipe(Alphabet.OfBits(bits), options.Granularity, options.ScaleRule)
        {
            ZeroPoint = options.ZeroPoint,
            Percentile = options.Percentile,
        };
        var (codes, error) = Round(weights, recipe);
        if (options.ZeroPoint == ZeroPointRule.Automatic && bits == LeastBits)
        {
            var other = Round(weights, recipe with { ZeroPoint = ZeroPointRule.LeastError });
            (codes, error) = other.Error < error ? other : (codes, error);
        }

        return new(new QuantizedLayer(layer, [codes], null, null), error, 0, null) { Algorithm = _algorithm.Name, Bits = bits };
    }

    private (QuantizedWeights Codes, double Error) Round(Matrix<float> weights, GridRecipe recipe)
    {
        var context = new QuantizationContext { Seed = options.Seed, Threads = options.Threads, CancellationToken = options.CancellationToken };
        var codes = _algorithm.Quantize(new(weights, OfIdentity(weights)), recipe, context);
        var values = codes.Dequantize().Data;
        var (error, energy) = (0.0, 0.0);
        for (var i = 0; i < values.Length; i++)
        {
            var difference = (double)values[i] - weights.Data[i];
            (error, energy) = (error + (difference * difference), energy + ((double)weights.Data[i] * weights.Data[i]));
        }

        return (codes, energy == 0 ? 0 : Math.Sqrt(error / energy));
    }

    /// <summary>Statistics of X = X̃ = I: each number counts for itself.</summary>
    private static LayerStatistics OfIdentity(Matrix<float> weights)
    {
        var h = new Matrix<double>(weights.Rows, weights.Rows);
        for (var t = 0; t < h.Rows; t++)
            h[t, t] = 1;
        var energy = new double[weights.Columns];
        for (var t = 0; t < weights.Rows; t++)
        {
            for (var i = 0; i < energy.Length; i++)
                energy[i] += (double)weights[t, i] * weights[t, i];
        }

        var c = new Matrix<double>(weights.Rows, weights.Columns, Array.ConvertAll(weights.Data, w => (double)w));
        return new(weights.Rows, h, h, c, new double[weights.Rows], new double[weights.Columns], energy);
    }
}
