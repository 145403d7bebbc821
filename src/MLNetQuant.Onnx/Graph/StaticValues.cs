using MLNetQuant.Onnx.Calibration;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Graph;

/// <summary>Tensors that nodes compute from constants alone.</summary>
internal static class StaticValues
{
    /// <summary>A tensor that is the same in every run: a constant, or the output of a static node.</summary>
    public static OnnxTensor Read(ModelProto model, GraphIndex index, string tensor)
    {
        if (index.Producer(tensor) >= 0)
            return Compute(model, index, [tensor])[tensor];
        var constant = index.Initializers[tensor];
        return OnnxTensor.Create(TensorValues.ReadFloats(constant), [.. constant.Dims]);
    }

    /// <summary>Computes tensors that are the same in every run.</summary>
    /// <param name="model">The model.</param>
    /// <param name="index">Its index.</param>
    /// <param name="tensors">Outputs of static nodes.</param>
    /// <returns>Those that are tensors of numbers, by name.</returns>
    public static IReadOnlyDictionary<string, OnnxTensor> Compute(ModelProto model, GraphIndex index, IReadOnlyCollection<string> tensors)
    {
        if (tensors.Count == 0)
            return new Dictionary<string, OnnxTensor>();
        var nodes = new SortedSet<int>();
        var pending = new Stack<string>(tensors);
        while (pending.TryPop(out var name))
        {
            var node = index.Producer(name);
            if (node < 0 || !nodes.Add(node))
                continue;
            foreach (var read in index.Reads(node))
                pending.Push(read);
        }

        var slice = GraphSlice.Cut(
            model,
            index,
            [.. nodes],
            [.. tensors],
            _ => throw new InvalidOperationException("A static node reads a tensor that is not static."),
            new GraphRewrites());
        using var session = new OnnxSession(slice.Model);
        return session.Run(new Dictionary<string, OnnxTensor>(), [.. tensors]);
    }
}
