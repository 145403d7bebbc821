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
    /// The models have other steps, none to compare, or one that is damaged; or the data have no rows that fit a step.
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
        ArgumentNullException.ThrowIfNull(data);
        return ReadAndCompare(reference, other, _ => data, batchSize, threads, cancellationToken);
    }

    /// <summary>Compares the steps whose inputs the data holds, which are read once it is known what they are called.</summary>
    /// <param name="reference">The model to compare with.</param>
    /// <param name="other">The model to judge: one of the same steps.</param>
    /// <param name="read">
    /// Gives rows by column name for the columns that steps read, as far as there are any: of an ONNX step as its model's
    /// inputs take them, of a linear model N × features.
    /// </param>
    /// <param name="batchSize">Rows per run of an ONNX model; one with a fixed batch keeps its own.</param>
    /// <param name="threads">Threads, 0 for all processors.</param>
    /// <param name="cancellationToken">Stops the comparison.</param>
    /// <exception cref="QuantizationException">
    /// The models have other steps, none to compare, or one that is damaged; or the data have no rows that fit a step.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static SavedModelComparison ReadAndCompare(
        SavedModel reference,
        SavedModel other,
        Func<IReadOnlyCollection<string>, CalibrationData> read,
        int batchSize = 32,
        int threads = 0,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(other);
        ArgumentNullException.ThrowIfNull(read);
        var forms = Read(reference);
        RequireSameSteps(reference, other);
        var data = read([.. forms.SelectMany(f => f.Columns).Distinct()]);
        var steps = new List<StepComparison>();
        QuantizationException? unfit = null;
        foreach (var form in forms)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ModelComparison? comparison = null;
            string? reason = null;
            if (form.Columns.FirstOrDefault(c => !data.Inputs.ContainsKey(c)) is { } missing)
            {
                reason = $"the data have no rows for '{missing}'";
            }
            else
            {
                var twin = ComparedStep.Read(other, other.Steps.First(s => s.Folder == form.Step.Folder));
                form.RequireSameForm(twin);
                try
                {
                    comparison = form.Measure(twin, data, batchSize, threads, cancellationToken);
                }
                catch (QuantizationException e)
                {
                    // Other steps may read a column of the same name at another width.
                    reason = $"it cannot be compared on these rows ({e.Message.TrimEnd('.')})";
                    unfit ??= e;
                }
            }

            steps.Add(new(form.Step.Folder, form.Step.TypeName, comparison, reason));
        }

        return steps.Any(s => s.Comparison is not null) ? new(steps) : throw unfit ?? new QuantizationException(
            $"The data have rows for no step of the model '{reference.Name}' (they have {Listed(data.Inputs.Keys)}): name them as the inputs of a step ({string.Join("; ", forms.Select(f => $"{f.Step.Folder}: {Listed(f.Columns)}"))}).");
    }

    private static ComparedStep[] Read(SavedModel model)
    {
        ComparedStep[] forms = [.. model.Steps.Where(s => s.Kind is SavedStepKind.Onnx or SavedStepKind.Linear).Select(s => ComparedStep.Read(model, s))];
        if (forms.Length > 0)
            return forms;
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

    private static string Listed(IEnumerable<string> names) => string.Join(", ", names.Select(n => $"'{n}'")) is { Length: > 0 } list ? list : "none";
}
