using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Onnx.Formats;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Statistics;

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

    private readonly Msq _algorithm = new();

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

        return new(new QuantizedLayer(layer, codes, null, null), error, 0, null) { Algorithm = _algorithm.Name, Bits = bits };
    }

    private (QuantizedWeights[] Codes, double Error) Round(Matrix<float>[] groups, GridRecipe recipe)
    {
        var context = new QuantizationContext { Seed = options.Seed, Threads = options.Threads, CancellationToken = options.CancellationToken };
        QuantizedWeights[] codes = [.. groups.Select(w => _algorithm.Quantize(new(w, OfIdentity(w)), recipe, context))];
        var (error, energy) = (0.0, 0.0);
        foreach (var (weight, value) in groups.Zip(codes).SelectMany(g => g.First.Data.Zip(g.Second.Dequantize().Data)))
        {
            var difference = (double)value - weight;
            (error, energy) = (error + (difference * difference), energy + ((double)weight * weight));
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
