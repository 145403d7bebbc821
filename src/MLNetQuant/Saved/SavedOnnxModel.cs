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
    /// <exception cref="QuantizationException">The step's model file, which ML.NET reads again, is gone or cannot be read.</exception>
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
            throw new QuantizationException(
                $"{name}: its model cannot be read: {e.Message.TrimEnd('.')}: {(IsGone(e) ? "put the file back" : "make the file readable")}, or fit or load the model again.", e);
        }

        var bytes = saved.ToArray();
        return () =>
        {
            var model = SavedModel.Parse(bytes, name);
            return model.ReadOnnx(model.Steps.Single(s => s.Kind == SavedStepKind.Onnx), name);
        };
    }

    /// <summary>Saves a step where a model is saved.</summary>
    /// <param name="step">The step.</param>
    /// <param name="context">Where to.</param>
    /// <param name="name">What messages call the step.</param>
    /// <exception cref="QuantizationException">The step's model file is gone.</exception>
    public static void Save(OnnxTransformer step, ModelSaveContext context, string name)
    {
        try
        {
            ((ICanSaveModel)step).Save(context);
        }
        catch (Exception e) when (IsGone(e))
        {
            throw new QuantizationException(
                $"{name} cannot be saved, because ML.NET then reads its model file once more ({e.Message.TrimEnd('.')}): put the file back, or fit or load the model again.",
                e);
        }
    }

    private static bool IsGone(Exception e) => e is FileNotFoundException or DirectoryNotFoundException;
}
