using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;
using DataType = MLNetQuant.Onnx.Proto.TensorProto.Types.DataType;

namespace MLNetQuant.Onnx.Saved;

/// <summary>
/// A linear model as an ONNX model of one Gemm for each matrix problem, so that whatever quantizes layers quantizes it. Outputs
/// that weigh all features share one problem. One that weighs only some has a problem of its own on those features: its other
/// weights are not stored, and stay zero. Beyond 2,048 features a problem is cut into blocks whose products are added, since
/// statistics grow with the square of the features.
/// </summary>
internal sealed class LinearProblem
{
    private const int BlockFeatures = 2048;
    private const int OpsetVersion = 17;
    private const int IrVersion = 8;

    private readonly SavedLinearModel _model;
    private readonly List<Block> _blocks = [];

    public LinearProblem(SavedLinearModel model)
    {
        _model = model;
        int[] dense = [.. Enumerable.Range(0, model.Outputs.Count).Where(o => model.Outputs[o].Features is null)];
        if (dense.Length > 0)
            Cut(dense, [.. Enumerable.Range(0, model.FeatureCount)]);
        for (var output = 0; output < model.Outputs.Count; output++)
        {
            if (model.Outputs[output].Features is { Count: > 0 } features)
                Cut([output], [.. features]);
        }

        var proto = new ModelProto { IrVersion = IrVersion, Graph = new() { Name = model.TypeName } };
        proto.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = OpsetVersion });
        foreach (var group in _blocks.GroupBy(b => b.Group))
            Write(proto.Graph, [.. group]);
        Model = OnnxModel.FromProto(proto, model.TypeName);
    }

    /// <summary>The ONNX model; it has no node where no output has a weight.</summary>
    public OnnxModel Model { get; }

    public bool HasWeights => _blocks.Count > 0;

    /// <summary>Rows of feature vectors as the inputs of the ONNX model.</summary>
    /// <param name="rows">The values of all features, row by row.</param>
    public CalibrationData Feed(float[] rows)
    {
        var count = rows.Length / _model.FeatureCount;
        return new(_blocks.ToDictionary(b => b.Input, b =>
        {
            if (b.Features.Length == _model.FeatureCount)
                return OnnxTensor.Create(rows, count, b.Features.Length);
            var values = new float[count * b.Features.Length];
            for (var row = 0; row < count; row++)
            {
                for (var t = 0; t < b.Features.Length; t++)
                    values[(row * b.Features.Length) + t] = rows[(row * _model.FeatureCount) + b.Features[t]];
            }

            return OnnxTensor.Create(values, count, b.Features.Length);
        }));
    }

    /// <summary>The linear model with the weights and biases of a quantized ONNX model.</summary>
    public SavedLinearModel Read(OnnxModel quantized)
    {
        var graph = quantized.Proto.Graph;
        var constants = graph.Initializer.ToDictionary(i => i.Name);
        float[][] weights = [.. _model.Outputs.Select(o => o.Weights.ToArray())];
        double[] biases = new double[weights.Length];
        foreach (var (output, o) in _model.Outputs.Index())
            biases[output] = o.Features is { Count: 0 } ? o.Bias : 0;
        foreach (var block in _blocks)
        {
            var node = graph.Node.First(n => n.Output[0] == block.Product);
            var w = TensorValues.ReadFloats(constants[node.Input[1]]);
            var b = TensorValues.ReadFloats(constants[node.Input[2]]);
            for (var i = 0; i < block.Outputs.Length; i++)
            {
                biases[block.Outputs[i]] += b[i];
                for (var t = 0; t < block.Features.Length; t++)
                    weights[block.Outputs[i]][block.First + t] = w[(t * block.Outputs.Length) + i];
            }
        }

        return _model.With([.. _model.Outputs.Select((o, i) => o with { Bias = (float)biases[i], Weights = weights[i] })]);
    }

    private void Cut(int[] outputs, int[] features)
    {
        var group = _blocks.Count == 0 ? 0 : _blocks[^1].Group + 1;
        for (var first = 0; first < features.Length; first += BlockFeatures)
        {
            var part = features[first..Math.Min(first + BlockFeatures, features.Length)];
            var name = _model.TypeName;
            if (outputs.Length < _model.Outputs.Count)
                name += outputs.Length == 1 ? $" class {outputs[0]}" : " dense classes";
            if (features.Length > BlockFeatures)
                name += $" features {part[0]} to {part[^1]}";
            _blocks.Add(new(_blocks.Count, group, outputs, part, first, name));
        }
    }

    private void Write(GraphProto graph, Block[] blocks)
    {
        var outputs = blocks[0].Outputs;
        foreach (var block in blocks)
        {
            var weights = new float[block.Features.Length * outputs.Length];
            for (var i = 0; i < outputs.Length; i++)
            {
                for (var t = 0; t < block.Features.Length; t++)
                    weights[(t * outputs.Length) + i] = _model.Outputs[outputs[i]].Weights[block.First + t];
            }

            float[] bias = [.. outputs.Select(o => block.First == 0 ? _model.Outputs[o].Bias : 0)];
            graph.Input.Add(Value(block.Input, block.Features.Length));
            graph.Initializer.Add(TensorValues.Create(block.Weight, weights, [block.Features.Length, outputs.Length]));
            graph.Initializer.Add(TensorValues.Create(block.Bias, bias, [outputs.Length]));
            var node = new NodeProto { Name = block.Name, OpType = "Gemm" };
            node.Input.AddRange([block.Input, block.Weight, block.Bias]);
            node.Output.Add(block.Product);
            graph.Node.Add(node);
        }

        var score = blocks[0].Product;
        if (blocks.Length > 1)
        {
            score = $"score{blocks[0].Group}";
            var sum = new NodeProto { OpType = "Sum" };
            sum.Input.AddRange(blocks.Select(b => b.Product));
            sum.Output.Add(score);
            graph.Node.Add(sum);
        }

        graph.Output.Add(Value(score, outputs.Length));
    }

    private static ValueInfoProto Value(string name, int width)
    {
        var shape = new TensorShapeProto();
        shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimParam = "N" });
        shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = width });
        return new() { Name = name, Type = new TypeProto { TensorType = new() { ElemType = (int)DataType.Float, Shape = shape } } };
    }

    /// <summary>Some features of some outputs.</summary>
    /// <param name="Number">Its number.</param>
    /// <param name="Group">Blocks of one group add up.</param>
    /// <param name="Outputs">The outputs.</param>
    /// <param name="Features">The features.</param>
    /// <param name="First">Which weight of each output the first feature has.</param>
    /// <param name="Name">What reports call it.</param>
    private sealed record Block(int Number, int Group, int[] Outputs, int[] Features, int First, string Name)
    {
        public string Input => $"x{Number}";

        public string Weight => $"w{Number}";

        public string Bias => $"b{Number}";

        public string Product => $"y{Number}";
    }
}
