namespace MLNetQuant.Onnx.Calibration;

/// <summary>Cuts calibration data into the batches that a model takes, having checked that they fit.</summary>
internal static class CalibrationBatches
{
    /// <summary>Batches of at most <paramref name="batchSize"/> rows.</summary>
    /// <param name="model">The model to feed.</param>
    /// <param name="data">The rows.</param>
    /// <param name="batchSize">Rows per batch; a model with a fixed batch keeps its own.</param>
    /// <param name="rows">Rows to use at most.</param>
    /// <returns>The batches and the number of rows in them.</returns>
    /// <exception cref="QuantizationException">The data does not fit the model's inputs, or has no rows or no numbers.</exception>
    public static (IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> Batches, int Rows) Cut(
        OnnxModel model, CalibrationData data, int batchSize, int? rows)
    {
        var fixedBatches = new Dictionary<string, int>();
        var counts = new Dictionary<string, int>();
        var entries = new Dictionary<string, RowsOfInput>();
        var rowsName = model.Inputs.Select(i => i.ExtentNames.FirstOrDefault("")).FirstOrDefault(n => n.Length > 0);
        foreach (var input in model.Inputs)
        {
            if (!data.Inputs.TryGetValue(input.Name, out var tensor))
            {
                throw new QuantizationException(
                    $"The calibration data has no entry '{input.Name}', an input of the model (it has {Listed(data.Inputs.Keys)}): name its entries as the model's inputs.");
            }

            var entry = entries[input.Name] = RowsOfInput.Of(input, tensor, rowsName);
            if (entry.Count is not { } count)
                continue;
            counts[input.Name] = count;
            if (entry.FixedBatch is { } batch)
                fixedBatches[input.Name] = batch;
        }

        if (data.Inputs.Keys.FirstOrDefault(k => model.Inputs.All(i => i.Name != k)) is { } stray)
        {
            throw new QuantizationException(
                $"The calibration data has an entry '{stray}', which is no input of the model (it takes {Listed(model.Inputs.Select(i => i.Name))}): remove or rename it.");
        }

        if (counts.Values.Distinct().Count() > 1)
        {
            throw new QuantizationException(
                $"The calibration entries have different numbers of rows ({Counted(counts)}): give each the same.");
        }

        if (fixedBatches.Values.Distinct().Count() > 1)
        {
            throw new QuantizationException(
                $"The model's inputs take different fixed numbers of rows ({Counted(fixedBatches)}), so that rows cannot be cut into batches: export it with one batch size, or an open one.");
        }

        var available = counts.Count == 0 ? 1 : counts.Values.First();
        if (available == 0)
            throw new QuantizationException("The calibration data has no rows: give at least one.");
        var used = Math.Min(available, rows ?? int.MaxValue);
        var size = fixedBatches.Count > 0 ? fixedBatches.Values.First() : batchSize;
        if (fixedBatches.Count > 0 && used < size)
        {
            var given = used < available ? $"Rows is {used}" : $"the calibration data has {available}";
            throw new QuantizationException($"The model takes batches of exactly {size} rows, and {given}: give at least {size}.");
        }

        if (fixedBatches.Count > 0)
            used -= used % size;

        foreach (var (name, entry) in entries)
            entry.RequireFinite(name, used);
        var batches = new List<IReadOnlyDictionary<string, OnnxTensor>>();
        for (var start = 0; start < used; start += size)
        {
            var count = Math.Min(size, used - start);
            batches.Add(new RowsOfBatch(entries, start, count));
        }

        return (batches, used);
    }

    private static string Counted(Dictionary<string, int> rows) => string.Join(", ", rows.Select(c => $"'{c.Key}': {c.Value}"));

    private static string Listed(IEnumerable<string> names) => string.Join(", ", names.Select(n => $"'{n}'"));
}
