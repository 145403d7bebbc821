using Microsoft.ML;
using Microsoft.ML.Transforms.Onnx;
using MLNetQuant.Onnx;

namespace MLNetQuant.Saved;

/// <summary>
/// What an ONNX step of ML.NET keeps to itself, its model and the shapes that it was given: nothing public tells them but the
/// saved step.
/// </summary>
internal static class SavedOnnxModel
{
    /// <summary>Saves a step to memory, to be read when it is asked for.</summary>
    /// <param name="step">The step.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="QuantizationException">The step's model file is gone, which ML.NET reads again when a step is saved.</exception>
    public static Func<SavedOnnxStep> Of(OnnxTransformer step, string name)
    {
        using var saved = new MemoryStream();
        try
        {
            // Saving reads neither seed nor log of its context, so that any context will do.
            new MLContext().Model.Save(step, inputSchema: null, saved);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(name, e);
        }

        var bytes = saved.ToArray();
        return () =>
        {
            var model = SavedModel.Parse(bytes, name);
            return model.ReadOnnx(model.Steps.Single(s => s.Kind == SavedStepKind.Onnx), name);
        };
    }

    /// <summary>Says why a step cannot be saved, and what to do.</summary>
    public static QuantizationException Unreadable(string name, Exception cause) => new(
        $"{name} cannot be saved, because ML.NET then reads its model file once more ({cause.Message.TrimEnd('.')}): put the file back, or fit or load the model again.",
        cause);
}
