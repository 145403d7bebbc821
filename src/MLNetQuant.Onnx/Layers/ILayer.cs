using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Layers;

/// <summary>A node with a constant weight, seen as the matrix problem Y = XW for each group.</summary>
internal interface ILayer
{
    /// <summary>Which node it is, what it reads, and its weight.</summary>
    LayerNode Node { get; }

    /// <summary>Where each weight stands in the weight tensor.</summary>
    WeightLayout Layout { get; }

    /// <summary>Position of the bias among the node's inputs; −1 when the operator takes none.</summary>
    int BiasInput { get; }

    /// <summary>α of the node's output αXW + βb.</summary>
    double Alpha => 1;

    /// <summary>β of the node's output αXW + βb.</summary>
    double Beta => 1;

    /// <summary>What the operator multiplies XW by, relative to its bias; zero where it passes its bias over.</summary>
    double OutputScale => Beta == 0 ? 0 : Alpha / Beta;

    /// <summary>Whether the node's first output is αXW + βb.</summary>
    bool IsLinear => true;

    /// <summary>Whether X depends on the calibration rows; a table that is looked up has no X.</summary>
    bool ReadsRows => true;

    /// <summary>The tensors that X is unfolded from: outputs of the node itself where that feeds them back.</summary>
    IReadOnlyList<string> Inputs => [Node.Input];

    /// <summary>The tensor to unfold, of the values of <see cref="Inputs"/>.</summary>
    OnnxTensor Combine(IReadOnlyList<OnnxTensor> inputs) => inputs[0];

    /// <summary>Whether rows of another layer of the same weight can be unfolded as those of this one.</summary>
    bool UnfoldsAs(ILayer other) => false;

    /// <summary>Rows of the matrix problem that an input tensor of this shape brings.</summary>
    int CountRows(IReadOnlyList<long> inputShape);

    /// <summary>Writes chosen rows of X for one group.</summary>
    /// <param name="input">The layer's input tensor.</param>
    /// <param name="rows">Which rows, each below <see cref="CountRows"/>.</param>
    /// <param name="group">Which group.</param>
    /// <param name="destination">Receives rows × N values, row-major.</param>
    void Unfold(OnnxTensor input, ReadOnlySpan<int> rows, int group, Span<float> destination);

    /// <summary>Writes what the node puts out for chosen rows of X, for one group.</summary>
    /// <param name="output">The node's output tensor.</param>
    /// <param name="rows">Which rows.</param>
    /// <param name="group">Which group.</param>
    /// <param name="destination">Receives rows × M values, row-major.</param>
    void UnfoldOutput(OnnxTensor output, ReadOnlySpan<int> rows, int group, Span<float> destination);
}

/// <summary>The place of a layer in its graph.</summary>
/// <param name="Name">Unique name in messages and reports.</param>
/// <param name="Index">Index of the node in the graph.</param>
/// <param name="Proto">The node.</param>
/// <param name="Input">The tensor that X is unfolded from.</param>
/// <param name="WeightInput">Position of the weight among the node's inputs.</param>
/// <param name="Weight">The weight initializer.</param>
internal sealed record LayerNode(
    string Name, int Index, NodeProto Proto, string Input, int WeightInput, TensorProto Weight)
{
    public string Op => Proto.OpType;

    /// <summary>Whether the node has to stay as it is: other nodes read the weight as well, it stands in a branch, or it
    /// computes with numbers of 16 bits.</summary>
    public bool KeepsNode { get; init; }

    /// <summary>Layers of other nodes with the same weight, whose rows count as well; the finder fills them in.</summary>
    public List<ILayer> Twins { get; } = [];

    /// <summary>The tensor that it puts out.</summary>
    public string Output => Proto.Output[0];

    /// <summary>The numbers of the weight.</summary>
    /// <exception cref="QuantizationException">Not all of them are finite.</exception>
    public float[] ReadWeight()
    {
        var values = TensorValues.ReadFloats(Weight);
        return Array.TrueForAll(values, float.IsFinite)
            ? values
            : throw new QuantizationException(
                $"The weight '{Weight.Name}' of layer '{Name}' holds NaN or infinite values: repair the model, or exclude the layer.");
    }
}
