using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms.Onnx;

/// <summary>An input or output of a model.</summary>
/// <param name="Name">Its name, and the column's.</param>
/// <param name="Shape">Dimensions; those that are not positive are unknown.</param>
/// <param name="Type">The column's type.</param>
internal sealed record OnnxVariable(string Name, int[] Shape, DataViewType Type)
{
    /// <summary>The shape of one row: 0 where unknown, except the first, which is the batch of 1; [1] for a scalar.</summary>
    public int[] RowShape => Shape.Length == 0
        ? [1]
        : [.. Shape.Select((d, i) => d > 0 ? d : i == 0 && d < 0 ? 1 : 0)];
}
