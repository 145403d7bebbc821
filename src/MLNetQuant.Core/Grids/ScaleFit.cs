using MLNetQuant.Numerics;

namespace MLNetQuant.Grids;

/// <summary>Scale and zero point of one group of weights.</summary>
internal readonly record struct GroupScale(float Scale, int ZeroPoint);

/// <summary>Fits a recipe's grid, one group of weights after the other.</summary>
internal static class ScaleFit
{
    internal const float SmallestScale = 1.17549435e-38f; // below it, float32 loses precision
    private const int PanelOutputs = 16;

    /// <summary>The fitted grid.</summary>
    internal static Grid Fit(GridRecipe recipe, Matrix<float> weights, double[]? inputEnergy, int threads)
    {
        var blockSize = recipe.Granularity.BlockSize(weights.Rows);
        var blocks = (weights.Rows + blockSize - 1) / blockSize;
        var scales = new Matrix<float>(blocks, weights.Columns);
        var zeroPoints = new Matrix<sbyte>(blocks, weights.Columns);
        var importance = Importance(inputEnergy, weights.Rows);
        if (recipe.Granularity.SeparatesOutputs)
        {
            var panels = (weights.Columns + PanelOutputs - 1) / PanelOutputs;
            Workers.For(panels * blocks, threads, piece =>
            {
                var (block, first) = (piece / panels, piece % panels * PanelOutputs);
                var end = Math.Min(weights.Columns, first + PanelOutputs);
                var inputs = Math.Min(weights.Rows, (block + 1) * blockSize) - (block * blockSize);
                var size = WeightGroup.Padded(inputs);
                var ofInputs = new float[size];
                importance.AsSpan(block * blockSize, inputs).CopyTo(ofInputs);
                var groups = new WeightGroup[end - first];
                for (var i = 0; i < groups.Length; i++)
                    groups[i] = new(new float[size], ofInputs, inputs);
                for (var t = 0; t < inputs; t++)
                {
                    var row = weights.Row((block * blockSize) + t);
                    for (var i = 0; i < groups.Length; i++)
                        groups[i].Weights[t] = row[first + i];
                }

                for (var i = 0; i < groups.Length; i++)
                {
                    var fitted = FitGroup(recipe, groups[i], threads: 1);
                    (scales[block, first + i], zeroPoints[block, first + i]) = (fitted.Scale, (sbyte)fitted.ZeroPoint);
                }
            });
        }
        else
        {
            var fitted = FitGroup(recipe, Whole(weights, importance), threads);
            scales.Data.AsSpan().Fill(fitted.Scale);
            zeroPoints.Data.AsSpan().Fill((sbyte)fitted.ZeroPoint);
        }

        return new(recipe.Alphabet, recipe.Granularity, weights.Rows, scales, zeroPoints);
    }

    private static GroupScale FitGroup(GridRecipe recipe, WeightGroup group, int threads)
    {
        if (!group.Span.ContainsAnyExcept(0f))
            return OfZeros(recipe);
        var fitted = RangeFit.Fit(recipe, group.Span);
        if (recipe.ZeroPoint == ZeroPointRule.LeastError)
            fitted = LeastErrorZeroPoint.Fit(recipe, group, fitted, threads);
        else if (recipe.ScaleRule is ScaleRule.Mse or ScaleRule.WeightedMse)
            fitted = fitted with { Scale = ShrinkSearch.Best(recipe, group, fitted, threads) };
        if (recipe.ZeroPoint == ZeroPointRule.HalfQuadratic)
            fitted = fitted with { ZeroPoint = HalfQuadraticZeroPoint.Fit(recipe.Alphabet, group.Span, fitted) };
        return fitted with { Scale = Times(fitted.Scale, recipe.ScaleFactor) };
    }

    /// <summary>A multiple of a scale that is again a scale.</summary>
    internal static float Times(float scale, double factor) => Math.Clamp((float)(scale * factor), SmallestScale, float.MaxValue);

    /// <summary>Zero is to be a value; where it cannot be, the values are as near to it as normal numbers are.</summary>
    private static GroupScale OfZeros(GridRecipe recipe) => (recipe.Alphabet.IsBinary, recipe.IsSymmetric) switch
    {
        (false, _) => new(1, 0),
        (true, true) => new(SmallestScale, 0),
        (true, _) => new(1, recipe.Alphabet.Low),
    };

    /// <summary>Energies relative to the greatest; ones where there are none or all are zero.</summary>
    private static float[] Importance(double[]? inputEnergy, int inputs)
    {
        var importance = new float[inputs];
        var greatest = inputEnergy?.Max() ?? 0;
        for (var t = 0; t < inputs; t++)
            importance[t] = greatest > 0 ? (float)(inputEnergy![t] / greatest) : 1;
        return importance;
    }

    private static WeightGroup Whole(Matrix<float> weights, float[] importance)
    {
        var size = WeightGroup.Padded(weights.Data.Length);
        var group = new WeightGroup(new float[size], new float[size], weights.Data.Length);
        weights.Data.CopyTo(group.Weights, 0);
        for (var t = 0; t < weights.Rows; t++)
            group.Importance.AsSpan(t * weights.Columns, weights.Columns).Fill(importance[t]);
        return group;
    }
}
