using MLNetQuant.Onnx.Calibration;

namespace MLNetQuant.Onnx.Saved;

/// <summary>How far the scores of two forms of a linear model are apart.</summary>
internal static class LinearComparison
{
    private const string Score = "Score";

    /// <summary>Checks that two models have the same numbers of features and outputs.</summary>
    /// <param name="reference">The one model.</param>
    /// <param name="other">The other.</param>
    /// <param name="step">What messages call the step.</param>
    /// <exception cref="QuantizationException">They have not.</exception>
    public static void RequireSameForm(SavedLinearModel reference, SavedLinearModel other, string step)
    {
        if (reference.FeatureCount != other.FeatureCount || reference.Outputs.Count != other.Outputs.Count)
        {
            throw new QuantizationException(
                $"The step '{step}' has {reference.Outputs.Count} outputs of {reference.FeatureCount} features in one model, and {other.Outputs.Count} of {other.FeatureCount} in the other: compare two forms of one model.");
        }
    }

    /// <summary>Compares the scores, before any calibrator or other link turns them into probabilities.</summary>
    /// <param name="reference">The model to compare with.</param>
    /// <param name="other">The model to judge, of the same form.</param>
    /// <param name="features">Feature vectors, N × features.</param>
    /// <param name="step">What messages call the step.</param>
    /// <exception cref="QuantizationException">The features do not fit the models.</exception>
    public static ModelComparison Measure(SavedLinearModel reference, SavedLinearModel other, OnnxTensor features, string step)
    {
        if (features.Shape is not [> 0 and var rows, var width] || width != reference.FeatureCount)
        {
            throw new QuantizationException(
                $"The rows for '{reference.FeatureColumn}' have the shape [{string.Join(',', features.Shape)}], and the step '{step}' takes vectors of {reference.FeatureCount} features: give an array of rows × {reference.FeatureCount}.");
        }

        var values = features.ToFloats().Values<float>();
        return new((int)rows, [OutputComparison.Measure(Score, Scores(reference, values), Scores(other, values))]);
    }

    private static OnnxTensor Scores(SavedLinearModel model, ReadOnlySpan<float> rows)
    {
        var (width, outputs) = (model.FeatureCount, model.Outputs.Count);
        var count = rows.Length / width;
        var scores = new float[checked(count * outputs)];
        for (var o = 0; o < outputs; o++)
        {
            var output = model.Outputs[o];
            float[] weights = [.. output.Weights];
            int[]? features = output.Features is { } of ? [.. of] : null;
            for (var row = 0; row < count; row++)
            {
                var x = rows.Slice(row * width, width);
                double sum = output.Bias;
                for (var t = 0; t < weights.Length; t++)
                    sum += (double)weights[t] * x[features?[t] ?? t];
                scores[(row * outputs) + o] = (float)sum;
            }
        }

        return OnnxTensor.Create(scores, count, outputs);
    }
}
