using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Onnx.Formats;
using MLNetQuant.Onnx.Layers;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>
/// Rounds tables that are looked up, and the weights of loop bodies. A row of a table is used as it stands, and what a body
/// computes is not followed, so that no calibration row says which errors matter: every number is rounded to nearest, on the
/// scale with the least squared error. Nothing makes up for their errors either, so that they take four bits at least.
/// </summary>
internal sealed class TableQuantizer(QuantizationOptions options)
{
    /// <summary>Below so many bits rows of a table are told apart badly.</summary>
    public const int LeastBits = 4;

    /// <summary>Quantizes a table, or a layer without rows.</summary>
    public LayerResult Quantize(ILayer layer)
    {
        var values = layer.Node.ReadWeight();
        var bits = Math.Max(options.Bits, LeastBits);
        var recipe = new GridRecipe(Alphabet.OfBits(bits), options.Granularity, options.ScaleRule)
        {
            ZeroPoint = options.ZeroPoint,
            Percentile = options.Percentile,
        };
        Matrix<float>[] groups = [.. Enumerable.Range(0, layer.Layout.Groups).Select(g => layer.Layout.Gather<float>(values, g))];
        var (codes, error) = Round(groups, recipe);
        if (options.ZeroPoint == ZeroPointRule.Automatic && bits == LeastBits)
        {
            var other = Round(groups, recipe with { ZeroPoint = ZeroPointRule.LeastError });
            (codes, error) = other.Error < error ? other : (codes, error);
        }

        return new(new QuantizedLayer(layer, codes, null, null), error, 0, null) { Algorithm = new Msq().Name, Bits = bits };
    }

    private (QuantizedWeights[] Codes, double Error) Round(Matrix<float>[] groups, GridRecipe recipe)
    {
        QuantizedWeights[] codes = [.. groups.Select(w => NearestCodes.On(NearestCodes.Fit(recipe, w), w, options.Threads, options.CancellationToken))];
        var (error, energy) = (0.0, 0.0);
        foreach (var (weights, rounded) in groups.Zip(codes))
        {
            var values = rounded.Dequantize();
            for (var i = 0; i < weights.Data.Length; i++)
            {
                var (weight, difference) = ((double)weights.Data[i], (double)values.Data[i] - weights.Data[i]);
                (error, energy) = (error + (difference * difference), energy + (weight * weight));
            }
        }

        return (codes, energy == 0 ? 0 : Math.Sqrt(error / energy));
    }
}
