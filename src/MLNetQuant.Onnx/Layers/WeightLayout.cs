using MLNetQuant.Numerics;

namespace MLNetQuant.Onnx.Layers;

/// <summary>
/// Where the weight of input t to output j of group g stands in a weight tensor: g·GroupStride + t·InputStride +
/// j·OutputStride. Transposes, groups and filters all reduce to these strides.
/// </summary>
/// <param name="Inputs">N, inputs of each output.</param>
/// <param name="Outputs">M, outputs of one group.</param>
/// <param name="Groups">Groups; each is a matrix problem of its own.</param>
/// <param name="InputStride">Elements from one input to the next.</param>
/// <param name="OutputStride">Elements from one output to the next.</param>
/// <param name="GroupStride">Elements from one group to the next.</param>
internal readonly record struct WeightLayout(
    int Inputs, int Outputs, int Groups, int InputStride, int OutputStride, int GroupStride)
{
    /// <summary>Number of weights.</summary>
    public long Count => (long)Inputs * Outputs * Groups;

    /// <summary>Outputs over all groups.</summary>
    public int AllOutputs => Outputs * Groups;

    /// <summary>Whether the inputs of one output are neighbours in the tensor.</summary>
    public bool OutputMajor => InputStride == 1;

    /// <summary>Takes a group's N×M matrix out of a weight tensor.</summary>
    public Matrix<T> Gather<T>(ReadOnlySpan<T> tensor, int group)
        where T : unmanaged
    {
        var matrix = new Matrix<T>(Inputs, Outputs);
        for (var t = 0; t < Inputs; t++)
        {
            var row = matrix.Row(t);
            var at = (group * GroupStride) + (t * InputStride);
            for (var j = 0; j < Outputs; j++)
                row[j] = tensor[at + (j * OutputStride)];
        }

        return matrix;
    }

    /// <summary>Puts a group's N×M matrix into a weight tensor.</summary>
    public void Scatter<T>(Matrix<T> matrix, int group, Span<T> tensor)
        where T : unmanaged
    {
        for (var t = 0; t < Inputs; t++)
        {
            var row = matrix.Row(t);
            var at = (group * GroupStride) + (t * InputStride);
            for (var j = 0; j < Outputs; j++)
                tensor[at + (j * OutputStride)] = row[j];
        }
    }
}
