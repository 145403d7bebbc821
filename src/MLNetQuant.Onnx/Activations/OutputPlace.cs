using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;

namespace MLNetQuant.Onnx.Activations;

/// <summary>
/// Where the output of a layer of integers is rounded to eight bits: behind a Relu or Clip that alone reads it, which costs
/// nothing there, for the ends of the grid clip; else where it comes out.
/// </summary>
/// <param name="Node">The node whose first output is rounded.</param>
/// <param name="Low">Lower end of the values, −∞ for none.</param>
/// <param name="High">Upper end of the values, ∞ for none.</param>
internal sealed record OutputPlace(int Node, double Low, double High)
{
    public static OutputPlace Of(ILayer layer, GraphIndex index)
    {
        var output = layer.Node.Output;
        if (!index.Outputs.Contains(output) && index.Consumers(output) is [var next] && index.Graph.Node[next] is { Domain: "" or "ai.onnx" } reader)
        {
            if (reader.OpType == "Relu")
                return new(next, 0, double.PositiveInfinity);
            if (reader.OpType == "Clip" && ClippingActivation.Ends(reader, output, index) is var (low, high))
                return new(next, low, high);
        }

        return new(layer.Node.Index, double.NegativeInfinity, double.PositiveInfinity);
    }
}
