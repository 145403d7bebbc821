using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Onnx;

namespace MLNetQuant.Linear;

/// <summary>Reads feature vectors for a linear model.</summary>
internal static class FeatureRows
{
    /// <summary>
    /// Reads rows once, in order. Of more rows than there is room for, or than a layer uses, each stays with the same probability.
    /// Rows that hold NaN or infinite values are passed over, as ML.NET's trainers do.
    /// </summary>
    /// <param name="data">The rows.</param>
    /// <param name="model">The linear model, which names the column.</param>
    /// <param name="position">What messages call the step.</param>
    /// <param name="options">How many rows to read and to keep, and the seed.</param>
    /// <returns>Feature vectors, one behind the other.</returns>
    /// <exception cref="QuantizationException">The column is missing or of another type, or it has no row of finite values.</exception>
    public static float[] Read(IDataView data, SavedLinearModel model, string position, QuantizationOptions options)
    {
        var column = Find(data.Schema, model, position);
        var width = model.FeatureCount;
        var limit = options.Rows ?? int.MaxValue;
        var capacity = Math.Min(limit, Math.Min(options.RowsPerLayer, LinearModelQuantizer.MostRows(model)));
        var rows = new float[checked(Math.Min(capacity, 64) * width)];
        var (kept, seen, number) = (0, 0, 0);
        var random = new Random(options.Seed);
        using var cursor = data.GetRowCursor([column]);
        var getter = cursor.GetGetter<VBuffer<float>>(column);
        var features = default(VBuffer<float>);
        for (; number < limit && cursor.MoveNext(); number++)
        {
            options.CancellationToken.ThrowIfCancellationRequested();
            getter(ref features);
            if (!AreFinite(features.GetValues()))
                continue;
            var place = kept < capacity ? kept++ : random.Next(seen + 1);
            seen++;
            if (place >= capacity)
                continue;
            if ((long)kept * width > rows.Length)
                Array.Resize(ref rows, checked((int)Math.Min(2L * rows.Length, (long)capacity * width)));
            features.CopyTo(rows.AsSpan(place * width, width));
        }

        if (kept == 0)
        {
            throw new QuantizationException(number == 0
                ? $"The calibration data has no rows (column '{model.FeatureColumn}'): give at least one row."
                : $"The feature column '{model.FeatureColumn}' of {position} is NaN or infinite in all of the {number} rows: repair the rows.");
        }

        return kept * width == rows.Length ? rows : rows.AsSpan(0, kept * width).ToArray();
    }

    private static DataViewSchema.Column Find(DataViewSchema schema, SavedLinearModel model, string position)
    {
        var column = schema.GetColumnOrNull(model.FeatureColumn) ?? throw new QuantizationException(
            $"The data has no column '{model.FeatureColumn}', the features of {position} (it has {string.Join(", ", schema.Select(c => $"'{c.Name}'"))}): add it, for example with Concatenate.");
        var expected = new VectorDataViewType(NumberDataViewType.Single, model.FeatureCount);
        return column.Type is VectorDataViewType vector && vector.ItemType.Equals(NumberDataViewType.Single) && vector.Size == model.FeatureCount
            ? column
            : throw new QuantizationException(
                $"The feature column '{model.FeatureColumn}' of {position} is {column.Type}, and the model takes {expected}: give vectors of that type and length.");
    }

    private static bool AreFinite(ReadOnlySpan<float> values)
    {
        foreach (var value in values)
        {
            if (!float.IsFinite(value))
                return false;
        }

        return true;
    }
}
