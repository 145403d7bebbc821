using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;

namespace MLNetQuant.Onnx.Activations;

/// <summary>
/// Where the output of a layer of integers is rounded to eight bits: behind the Relu and Clip that alone read it, which cost
/// nothing there, for the ends of the grid clip; else where it comes out.
/// </summary>
/// <param name="Node">The node whose first output is rounded.</param>
/// <param name="Low">Lower end of the values, −∞ for none.</param>
/// <param name="High">Upper end of the values, ∞ for none.</param>
internal sealed record OutputPlace(int Node, double Low, double High)
{
    public static OutputPlace Of(ILayer layer, GraphIndex index)
    {
        var place = new OutputPlace(layer.Node.Index, double.NegativeInfinity, double.PositiveInfinity);
        for (var output = layer.Node.Output; !index.Outputs.Contains(output) && index.Consumers(output) is [var next];)
        {
            var reader = index.Graph.Node[next];
            if (index.IsInBranch(next) || !reader.IsStandard() || Ends(reader, output, index) is not var (low, high))
                break;
            place = new(next, Math.Clamp(low, place.Low, place.High), Math.Clamp(high, place.Low, place.High));
            output = reader.Output[0];
        }

        return place;
    }

    private static (double Low, double High)? Ends(Proto.NodeProto node, string input, GraphIndex index) => node.OpType switch
    {
        "Identity" => (double.NegativeInfinity, double.PositiveInfinity),
        "Relu" => (0, double.PositiveInfinity),
        "Clip" => ClippingActivation.Ends(node, input, index),
        _ => null,
    };
}
