using System.Numerics;
using MLNetQuant.Numerics;

namespace MLNetQuant.Grids;

/// <summary>The scale rules: scales for every block and output of a weight matrix.</summary>
internal static class ScaleFit
{
    private const int Shrinks = 80;
    private const float SmallestScale = 1.17549435e-38f; // below it, float32 loses precision
    private const int PanelOutputs = 64;

    /// <summary>⌈inputs / block size⌉ × outputs.</summary>
    internal static Matrix<float> Fit(GridRecipe recipe, Matrix<float> weights, int threads)
    {
        var blockSize = recipe.Granularity.BlockSize(weights.Rows);
        var blocks = (weights.Rows + blockSize - 1) / blockSize;
        var scales = new Matrix<float>(blocks, weights.Columns);
        for (var block = 0; block < blocks; block++)
            SetWidest(recipe, weights, block * blockSize, Math.Min(weights.Rows, (block + 1) * blockSize), scales.Row(block));
        if (recipe.ScaleRule == ScaleRule.Mse)
            Shrink(recipe, weights, blockSize, scales, threads);
        return scales;
    }

    /// <summary>The smallest scales whose ranges hold every weight.</summary>
    private static void SetWidest(GridRecipe recipe, Matrix<float> weights, int firstInput, int endInput, Span<float> scales)
    {
        float low = -recipe.Alphabet.Low, high = recipe.Alphabet.High;
        for (var input = firstInput; input < endInput; input++)
        {
            var row = weights.Row(input);
            for (var output = 0; output < row.Length; output++)
                scales[output] = Math.Max(scales[output], row[output] > 0 ? row[output] / high : -row[output] / low);
        }

        if (!recipe.Granularity.SeparatesOutputs)
        {
            var widest = 0f;
            foreach (var scale in scales)
                widest = Math.Max(widest, scale);
            scales.Fill(widest);
        }

        // Weights that are all zero have code zero under any scale; 1 keeps it positive and finite.
        for (var output = 0; output < scales.Length; output++)
            scales[output] = scales[output] == 0 ? 1 : Math.Max(scales[output], SmallestScale);
    }

    /// <summary>Replaces each scale by its best shrink.</summary>
    private static void Shrink(GridRecipe recipe, Matrix<float> weights, int blockSize, Matrix<float> scales, int threads)
    {
        var perTensor = !recipe.Granularity.SeparatesOutputs;
        var errors = new Matrix<double>(perTensor ? Shrinks : 0, perTensor ? weights.Columns : 0);
        var panels = (weights.Columns + PanelOutputs - 1) / PanelOutputs;
        Workers.For(panels * scales.Rows, threads, piece =>
        {
            var block = piece / panels;
            var firstInput = block * blockSize;
            var inputs = Math.Min(weights.Rows, firstInput + blockSize) - firstInput;
            var first = piece % panels * PanelOutputs;
            var count = Math.Min(PanelOutputs, weights.Columns - first);
            var panel = new float[inputs * PanelOutputs]; // padded with zeros, whose error is zero
            for (var input = 0; input < inputs; input++)
                weights.Row(firstInput + input).Slice(first, count).CopyTo(panel.AsSpan(input * PanelOutputs));
            var widest = new float[PanelOutputs];
            widest.AsSpan().Fill(1);
            scales.Row(block).Slice(first, count).CopyTo(widest);

            var best = new double[PanelOutputs];
            Array.Fill(best, double.PositiveInfinity);
            var candidate = new float[PanelOutputs];
            var error = new double[PanelOutputs];
            for (var i = 0; i < Shrinks; i++)
            {
                for (var lane = 0; lane < PanelOutputs; lane++)
                    candidate[lane] = Math.Max(SmallestScale, widest[lane] * (1 - (i / 100f)));
                SquaredErrors(panel, candidate, recipe.Alphabet, error);
                if (perTensor)
                {
                    error.AsSpan(0, count).CopyTo(errors.Row(i)[first..]);
                    continue;
                }

                var row = scales.Row(block).Slice(first, count);
                for (var lane = 0; lane < count; lane++)
                {
                    if (error[lane] < best[lane])
                        (best[lane], row[lane]) = (error[lane], candidate[lane]);
                }
            }
        });
        if (perTensor)
            scales.Data.AsSpan().Fill(Math.Max(SmallestScale, scales[0, 0] * (1 - (BestShrink(errors) / 100f))));
    }

    private static int BestShrink(Matrix<double> errors)
    {
        var (best, least) = (0, double.PositiveInfinity);
        for (var i = 0; i < errors.Rows; i++)
        {
            var sum = 0.0;
            foreach (var error in errors.Row(i))
                sum += error;
            if (sum < least)
                (best, least) = (i, sum);
        }

        return best;
    }

    /// <summary>Σ (rounded − weight)² per lane: fp32 within 32 inputs, fp64 over them.</summary>
    private static void SquaredErrors(float[] panel, float[] scales, Alphabet alphabet, double[] errors)
    {
        const int Run = 32;
        var width = Vector<float>.Count;
        Vector<float> low = new(alphabet.Low), high = new(alphabet.High), half = new(0.5f);
        var inputs = panel.Length / PanelOutputs;
        for (var lane = 0; lane < PanelOutputs; lane += width)
        {
            var scale = new Vector<float>(scales, lane);
            var inverse = Vector<float>.One / scale;
            Vector<double> sumLow = default, sumHigh = default;
            for (var first = 0; first < inputs; first += Run)
            {
                Vector<float> sum = default;
                for (var input = first; input < Math.Min(inputs, first + Run); input++)
                {
                    var weight = new Vector<float>(panel, (input * PanelOutputs) + lane);
                    var code = Vector.Min(high, Vector.Max(low, Vector.Floor((weight * inverse) + half)));
                    var difference = (code * scale) - weight;
                    sum += difference * difference;
                }

                Vector.Widen(sum, out var widenedLow, out var widenedHigh);
                sumLow += widenedLow;
                sumHigh += widenedHigh;
            }

            sumLow.CopyTo(errors, lane);
            sumHigh.CopyTo(errors, lane + (width / 2));
        }
    }
}
