using MLNetQuant.Onnx.Calibration;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;

namespace MLNetQuant.Onnx.Activations;

/// <summary>Chooses the grids of layers' activations, one layer after the other, from what the calibration walk brings.</summary>
internal sealed class ActivationReader(GraphIndex index, QuantizationOptions options)
{
    /// <summary>Operators whose outputs are values of their first input.</summary>
    private static readonly HashSet<string> Movers = ["Identity", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Slice", "MaxPool"];

    private readonly Dictionary<string, ActivationGrid> _grids = [];
    private readonly HashSet<string> _rounded = []; // for all who read them

    /// <param name="layer">The layer.</param>
    /// <param name="inputs">Its input in both streams, and its float outputs where they are to be rounded as well.</param>
    /// <param name="roundsOutput">Whether its output is rounded.</param>
    public LayerActivations Read(ILayer layer, LayerInputs inputs, bool roundsOutput)
    {
        var input = layer.Node.Input;
        var grid = GridOf(input) ?? Choose(inputs.Quantized, double.NegativeInfinity, double.PositiveInfinity);
        _grids[input] = grid;
        var producer = RoundedSum(input);
        if (producer is not null)
            _rounded.Add(input);
        if (!roundsOutput)
            return new(grid, null) { RoundedProducer = producer };
        var place = OutputPlace.Of(layer, index);
        var output = Choose(inputs.FloatOutputs!, place.Low, place.High);
        var rounded = index.Graph.Node[place.Node].Output[0];
        _grids[rounded] = output;
        _rounded.Add(rounded);
        return new(grid, output) { RoundedProducer = producer };
    }

    /// <summary>The node that puts out a tensor, where this is a sum of rounded tensors, or what a Relu makes of one.</summary>
    private int? RoundedSum(string tensor)
    {
        var node = index.Producer(tensor);
        if (node < 0 || index.IsInBranch(node) || _rounded.Contains(tensor))
            return null;
        var sum = index.Graph.Node[node];
        if (sum is { OpType: "Relu", Domain: "" or "ai.onnx" } && index.Consumers(sum.Input[0]).Count == 1 && index.Producer(sum.Input[0]) is >= 0 and var before)
            sum = index.Graph.Node[before];
        return sum is { OpType: "Add", Domain: "" or "ai.onnx" } && sum.Input.All(_rounded.Contains) ? node : null;
    }

    /// <summary>The grid that the values of a tensor are on already, because they were rounded or come from such: another one would round them twice.</summary>
    private ActivationGrid? GridOf(string tensor)
    {
        while (!_grids.ContainsKey(tensor))
        {
            if (index.Producer(tensor) is not (>= 0 and var producer))
                return null;
            var node = index.Graph.Node[producer];
            if (!Movers.Contains(node.OpType) || !node.IsStandard())
                return null;
            tensor = node.Input[0];
        }

        return _grids[tensor];
    }

    private ActivationGrid Choose(IReadOnlyList<ITensorSource> batches, double low, double high) => RangeSearch.Choose(
        ActivationHistogram.Of(batches, low, high, options.Threads, options.CancellationToken),
        options.ActivationRange,
        options.ActivationPercentile);
}
