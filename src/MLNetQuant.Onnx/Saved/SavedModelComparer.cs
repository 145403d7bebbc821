using MLNetQuant.Onnx.Saved;

namespace MLNetQuant.Onnx;

/// <summary>
/// Measures how far the ONNX steps and linear models of two models that ML.NET saved are apart, step by step: both forms of a
/// step get the same rows. What a chain of them makes of rows, scoring in a program tells.
/// </summary>
public static class SavedModelComparer
{
    /// <summary>Compares the steps whose inputs the data holds.</summary>
    /// <param name="reference">The model to compare with.</param>
    /// <param name="other">The model to judge: one of the same steps.</param>
    /// <param name="data">
    /// Rows by column name: of an ONNX step as its model's inputs take them, of a linear model N × features.
    /// </param>
    /// <param name="batchSize">Rows per run of an ONNX model; one with a fixed batch keeps its own.</param>
    /// <param name="threads">Threads, 0 for all processors.</param>
    /// <param name="cancellationToken">Stops the comparison.</param>
    /// <exception cref="QuantizationException">
    /// The models have other steps, none to compare, or one that is damaged; or the data have rows for none, or do not fit.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static SavedModelComparison Compare(
        SavedModel reference,
        SavedModel other,
        CalibrationData data,
        int batchSize = 32,
        int threads = 0,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(other);
        ArgumentNullException.ThrowIfNull(data);
        var (inputs, steps) = (InputsOf(reference), new List<StepComparison>());
        RequireSameSteps(reference, other);
        foreach (var (step, columns) in inputs)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (columns.FirstOrDefault(c => !data.Inputs.ContainsKey(c)) is { } missing)
                steps.Add(new(step.Folder, step.TypeName, null, $"the data have no rows for '{missing}'"));
            else
                steps.Add(new(step.Folder, step.TypeName, Compare(step, columns), null));
        }

        return steps.Any(s => s.Comparison is not null) ? new(steps) : throw new QuantizationException(
            $"The data have rows for no step of the model '{reference.Name}' (they have {Listed(data.Inputs.Keys)}): name them as the inputs of a step ({string.Join("; ", inputs.Select(i => $"{i.Step.Folder}: {Listed(i.Columns)}"))}).");

        ModelComparison Compare(SavedStep step, IReadOnlyList<string> columns)
        {
            var twin = other.Steps.First(s => s.Folder == step.Folder);
            return step.Kind == SavedStepKind.Linear
                ? LinearComparison.Measure(reference.ReadLinear(step), other.ReadLinear(twin), data.Inputs[columns[0]], step.Folder)
                : ModelComparer.Compare(
                    reference.ReadOnnx(step).Model,
                    other.ReadOnnx(twin).Model,
                    new(columns.ToDictionary(c => c, c => data.Inputs[c])),
                    batchSize,
                    threads,
                    cancellationToken);
        }
    }

    /// <summary>The steps that can be compared, and the columns that each reads.</summary>
    /// <param name="model">A model.</param>
    /// <exception cref="QuantizationException">There is none, or one is damaged.</exception>
    public static IReadOnlyList<(SavedStep Step, IReadOnlyList<string> Columns)> InputsOf(SavedModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        (SavedStep, IReadOnlyList<string>)[] inputs = [.. model.Steps.Where(IsCompared).Select(s => (s, s.Kind == SavedStepKind.Linear
            ? [model.ReadLinear(s).FeatureColumn]
            : (IReadOnlyList<string>)[.. model.ReadOnnx(s).Model.Inputs.Select(i => i.Name)]))];
        if (inputs.Length > 0)
            return inputs;
        var learned = string.Join("; ", model.Steps.Where(s => s.Kind == SavedStepKind.Other).Take(5).Select(s => $"{s.Folder}, {s.TypeName}"));
        throw new QuantizationException(
            $"The model '{model.Name}' has no ONNX step and no linear model to compare ({(learned.Length > 0 ? learned : "none of its steps was learned")}): give two forms of a model that has one.");
    }

    private static void RequireSameSteps(SavedModel reference, SavedModel other)
    {
        for (var i = 0; i < Math.Max(reference.Steps.Count, other.Steps.Count); i++)
        {
            var (a, b) = (reference.Steps.ElementAtOrDefault(i), other.Steps.ElementAtOrDefault(i));
            if (a?.Folder == b?.Folder && a?.LoaderSignature == b?.LoaderSignature)
                continue;
            throw new QuantizationException(
                $"The models '{reference.Name}' and '{other.Name}' have other steps ({Describe(a)} in one, {Describe(b)} in the other): compare two forms of one model.");
        }

        static string Describe(SavedStep? step) => step is null ? "no more" : $"{step.Folder}, {step.TypeName}";
    }

    private static bool IsCompared(SavedStep step) => step.Kind is SavedStepKind.Onnx or SavedStepKind.Linear;

    private static string Listed(IEnumerable<string> names) => string.Join(", ", names.Select(n => $"'{n}'")) is { Length: > 0 } list ? list : "none";
}
