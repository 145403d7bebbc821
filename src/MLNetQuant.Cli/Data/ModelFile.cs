using MLNetQuant.Onnx;

namespace MLNetQuant.Cli.Data;

/// <summary>An ONNX file, or a model that ML.NET saved (.zip, .mlnet) with an ONNX model in one of its steps.</summary>
/// <param name="Onnx">The ONNX model.</param>
/// <param name="Saved">The saved model; null for an ONNX file.</param>
/// <param name="Step">The step that holds the ONNX model.</param>
internal sealed record ModelFile(OnnxModel Onnx, SavedModel? Saved, SavedStep? Step)
{
    /// <summary>Whether a file is a model that ML.NET saved. The content decides, not the file's name.</summary>
    public static bool IsSaved(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read);
            Span<byte> start = stackalloc byte[2];
            return SavedModel.IsZip(start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Whoever reads the file next says what is wrong with it.
            return false;
        }
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="step">The step of a saved model to take, as inspect lists it; null for the only one.</param>
    /// <exception cref="QuantizationException">The file is missing or no model, or it does not have one such step.</exception>
    public static ModelFile Load(string path, string? step)
    {
        if (!IsSaved(path))
        {
            return step is null
                ? new(OnnxModel.Load(path), null, null)
                : throw new QuantizationException($"--step is '{step}', and the model '{path}' is no saved ML.NET model: leave it out.");
        }

        var saved = SavedModel.Load(path);
        SavedStep[] onnx = [.. saved.Steps.Where(s => s.Kind == SavedStepKind.Onnx)];
        var models = onnx.Select(s => saved.ReadOnnx(s).Model).ToList();
        int[] open = [.. Enumerable.Range(0, onnx.Length).Where(i => step is null ? !models[i].IsQuantized : IsNamed(onnx[i], step))];
        if (open is not [var chosen])
            throw new QuantizationException(Refusal(path, step, saved, [.. open.Select(i => onnx[i])]));
        return models[chosen].IsQuantized
            ? throw new QuantizationException($"The step '{Short(onnx[chosen])}' of the model '{path}' is quantized already: give the float model.")
            : new(models[chosen], saved, onnx[chosen]);
    }

    /// <summary>The name of a step that inspect lists: its folder, without that of the chain around all steps.</summary>
    public static string Short(SavedStep step) => Short(step.Folder);

    /// <inheritdoc cref="Short(SavedStep)"/>
    public static string Short(string folder) => folder.IndexOf('/', StringComparison.Ordinal) is >= 0 and var slash ? folder[(slash + 1)..] : folder;

    /// <summary>Writes a quantized model as what the file was; it appears whole or not at all.</summary>
    /// <exception cref="QuantizationException">The path cannot be written.</exception>
    public void Save(string path, OnnxModel quantized)
    {
        if (Saved is null)
            quantized.Save(path);
        else
            Saved.With(Step!, quantized).Save(path);
    }

    private static bool IsNamed(SavedStep step, string name) => name == step.Folder || name == Short(step);

    private static string Refusal(string path, string? step, SavedModel saved, SavedStep[] open)
    {
        if (step is not null)
            return $"The model '{path}' has no ONNX step '{step}' (its ONNX steps: {Listed(saved.Steps.Where(s => s.Kind == SavedStepKind.Onnx))}): name one as inspect lists it.";
        if (open.Length > 0)
        {
            return $"The model '{path}' has {open.Length} ONNX steps ({Listed(open)}), and the data file holds rows for one: say which with --step, and quantize one after the other.";
        }

        var others = saved.Steps.Where(s => s.Kind != SavedStepKind.WithoutParameters).Select(s => $"{Short(s)}, {s.TypeName}: {Reason(s)}").Take(5).ToList();
        return $"The model '{path}' has no ONNX step to quantize ({(others.Count == 0 ? "none of its steps was learned" : string.Join("; ", others))}): give a model with a float ONNX step.";
    }

    /// <summary>Why this program leaves a step alone.</summary>
    public static string Reason(SavedStep step) => step.Kind switch
    {
        SavedStepKind.Onnx => "it is quantized already",
        SavedStepKind.Linear => "linear models need the rows that reach them in the pipeline: quantize it in a program, with ml.Model.QuantizeWeights",
        _ => step.Reason ?? "",
    };

    private static string Listed(IEnumerable<SavedStep> steps) => string.Join(", ", steps.Select(s => $"'{Short(s)}'")) is { Length: > 0 } list ? list : "none";
}
