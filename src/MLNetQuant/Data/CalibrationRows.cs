using Microsoft.ML;
using MLNetQuant.Onnx;

namespace MLNetQuant.Data;

/// <summary>Reads the model's input columns of a data view into tensors.</summary>
internal static class CalibrationRows
{
    /// <summary>Reads rows once, in order, and only the columns asked for.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="columns">The columns that feed the model.</param>
    /// <param name="limit">Rows to read at most.</param>
    /// <param name="cancellationToken">Stops between rows.</param>
    /// <exception cref="QuantizationException">A value is not finite, or there is no row.</exception>
    public static CalibrationData Read(
        IDataView data, IReadOnlyList<BoundColumn> columns, int? limit, CancellationToken cancellationToken)
    {
        IColumnReader[] readers = [.. columns.Select(c => c.CreateReader())];
        using (var cursor = data.GetRowCursor(readers.Select(r => r.Column)))
        {
            foreach (var reader in readers)
                reader.Open(cursor);
            for (var row = 0; row < (limit ?? int.MaxValue) && cursor.MoveNext(); row++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                foreach (var reader in readers)
                    reader.ReadRow(row);
            }
        }

        return new(readers.ToDictionary(r => r.Column.Name, r => r.ToTensor()));
    }
}
