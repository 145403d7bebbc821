namespace MLNetQuant.Onnx.Formats;

/// <summary>
/// Mends a file whose activations err too much: the layers with the largest activation errors go back to float activations,
/// one, two, four and so on, until the outputs are near enough.
/// </summary>
/// <param name="contest">Judges the outputs.</param>
/// <param name="write">Makes a file of written layers.</param>
internal sealed class ActivationFallback(FormatContest contest, Func<WrittenLayers, OnnxModel> write)
{
    /// <param name="written">The layers of the file.</param>
    /// <param name="entry">The file.</param>
    /// <param name="weightsAlone">The same weights with float activations.</param>
    /// <param name="layers">The layers and their codes.</param>
    /// <returns>The file as it is, or the mended one; where nothing helps, one whose outputs are still too far off.</returns>
    public (WrittenLayers Written, FormatEntry Entry) Apply(
        WrittenLayers written, FormatEntry entry, FormatEntry weightsAlone, IReadOnlyList<QuantizedLayer> layers)
    {
        int[] worst =
        [
            .. Enumerable.Range(0, layers.Count)
                .Where(l => written.ActivationErrors[l] is not null)
                .OrderByDescending(l => written.ActivationErrors[l]),
        ];
        var (lighter, mended) = (written, entry);
        for (var count = 1; FormatContest.Refuse(mended, weightsAlone) is not null && count < worst.Length; count *= 2)
        {
            var plan = written.Plan.Without(worst.Take(count).Select(l => layers[l].Layer.Node.Name));
            lighter = written.Empty(plan);
            foreach (var (place, layer) in layers.Index())
                lighter.Add(layer, written.ActivationErrors[place]);
            mended = contest.Enter(entry.Format, write(lighter), lighter.SpansBatch) with { TakenBack = count };
        }

        return (lighter, mended);
    }
}
