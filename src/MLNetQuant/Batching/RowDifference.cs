using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using MLNetQuant.Onnx;

namespace MLNetQuant.Batching;

/// <summary>How far the values of a row that ran alone are from those of the row among others.</summary>
internal static class RowDifference
{
    /// <summary>
    /// Part of the largest value below which values are counted as if they were this: a ten thousandth of it is then what single
    /// precision leaves of the largest one. The tail of a softmax differs by more of its own size.
    /// </summary>
    private const double Negligible = 1e-3;

    /// <summary>Values from here on stand for no number, as those of a mask do.</summary>
    private const double Mask = 1e6;

    /// <summary>Whether an output holds numbers whose differences have a size.</summary>
    public static bool IsReal(OnnxValueInfo output) => output.ElementType is TensorElementType.Float or TensorElementType.Double;

    /// <summary>
    /// The largest difference of two values over their size; infinite where one is not a number, or whole numbers differ.
    /// </summary>
    /// <param name="together">The output of a run of several rows, which stand along its first axis.</param>
    /// <param name="alone">That of one of them.</param>
    /// <param name="row">Which.</param>
    /// <param name="rows">How many ran together.</param>
    /// <param name="ofLargest">
    /// Whether differences are taken over the largest value of the row, instead of over the greater of the two values and of the
    /// median of the row: a value near zero may be a sum of terms that cancel, but a huge one says nothing of the others.
    /// </param>
    public static double Of(OrtValue together, OrtValue alone, int row, int rows, bool ofLargest) => alone.GetTensorTypeAndShape().ElementDataType switch
    {
        TensorElementType.Float => OfReals(Array.ConvertAll(together.GetTensorDataAsSpan<float>().ToArray(), v => (double)v), Array.ConvertAll(alone.GetTensorDataAsSpan<float>().ToArray(), v => (double)v), row, rows, ofLargest),
        TensorElementType.Double => OfReals(together.GetTensorDataAsSpan<double>(), alone.GetTensorDataAsSpan<double>(), row, rows, ofLargest),
        TensorElementType.Bool => OfOthers<bool>(together, alone, row, rows),
        TensorElementType.Int8 => OfOthers<sbyte>(together, alone, row, rows),
        TensorElementType.UInt8 => OfOthers<byte>(together, alone, row, rows),
        TensorElementType.Int16 => OfOthers<short>(together, alone, row, rows),
        TensorElementType.UInt16 => OfOthers<ushort>(together, alone, row, rows),
        TensorElementType.Int32 => OfOthers<int>(together, alone, row, rows),
        TensorElementType.UInt32 => OfOthers<uint>(together, alone, row, rows),
        TensorElementType.Int64 => OfOthers<long>(together, alone, row, rows),
        TensorElementType.UInt64 => OfOthers<ulong>(together, alone, row, rows),
        _ => double.PositiveInfinity,
    };

    private static double OfReals(ReadOnlySpan<double> together, ReadOnlySpan<double> alone, int row, int rows, bool ofLargest)
    {
        if (alone.Length * rows != together.Length)
            return double.PositiveInfinity;
        var among = together.Slice(row * alone.Length, alone.Length);
        var sizes = Array.ConvertAll(alone.ToArray(), Math.Abs).Where(double.IsFinite).Order().ToArray();
        var least = sizes.Length == 0 ? 0 : ofLargest ? sizes[^1] : Math.Max(sizes[sizes.Length / 2], Negligible * sizes.LastOrDefault(s => s < Mask));
        var largest = 0.0;
        for (var i = 0; i < alone.Length; i++)
        {
            if (alone[i].Equals(among[i]) || alone[i] == among[i])
                continue;
            var difference = Math.Abs(alone[i] - among[i]);
            if (!double.IsFinite(difference))
                return double.PositiveInfinity;
            largest = Math.Max(largest, difference / Math.Max(least, Math.Max(Math.Abs(alone[i]), Math.Abs(among[i]))));
        }

        return largest;
    }

    private static double OfOthers<T>(OrtValue together, OrtValue alone, int row, int rows)
        where T : unmanaged, IEquatable<T>
    {
        var all = together.GetTensorDataAsSpan<T>();
        var one = alone.GetTensorDataAsSpan<T>();
        return one.Length * rows == all.Length && one.SequenceEqual(all.Slice(row * one.Length, one.Length)) ? 0 : double.PositiveInfinity;
    }
}
