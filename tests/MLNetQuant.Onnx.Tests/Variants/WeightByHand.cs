using MLNetQuant.Onnx.Proto;
using MLNetQuant.Onnx.Tests.Models;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.Tests.Variants;

/// <summary>Puts other values in the place of a weight, wherever the model keeps it: graph, branch or function.</summary>
internal static class WeightByHand
{
    /// <summary>The model with these values; everything else stays.</summary>
    public static ModelProto Put(ModelProto model, WeightForm form, float[] values)
    {
        var copy = model.Clone();
        var places = Graphs(copy.Graph).Sum(g => Put(g, form, values)) + copy.Functions.Sum(f => Put(f, form, values));
        Assert.Equal(1, places);
        return copy;
    }

    /// <summary>The model with a bias of zeros.</summary>
    public static ModelProto WithoutBias(ModelProto model)
    {
        var copy = model.Clone();
        foreach (var bias in copy.Graph.Initializer.Where(i => i.Name == "b"))
            bias.FloatData.Clear();
        foreach (var bias in copy.Graph.Initializer.Where(i => i.Name == "b"))
            bias.FloatData.AddRange(new float[bias.Dims.Aggregate(1L, (a, b) => a * b)]);
        return copy;
    }

    private static int Put(GraphProto graph, WeightForm form, float[] values)
    {
        var tensor = graph.Initializer.FirstOrDefault(i => i.Name == form.Name);
        if (tensor is null && graph.Node.FirstOrDefault(n => n.Output.Contains(form.Name)) is { } producer)
        {
            graph.Node.Remove(producer);
            graph.Initializer.Add(tensor = new TensorProto());
        }

        if (tensor is null)
            return 0;
        Fill(tensor, form, values);
        return 1;
    }

    private static int Put(FunctionProto function, WeightForm form, float[] values)
    {
        if (function.Node.FirstOrDefault(n => n.OpType == "Constant" && n.Output[0] == form.Name) is not { } constant)
            return 0;
        Fill(constant.Attribute[0].T, form, values);
        return 1;
    }

    private static void Fill(TensorProto tensor, WeightForm form, float[] values)
    {
        (tensor.Name, tensor.DataType) = (form.Name, (int)form.Type);
        tensor.Dims.Clear();
        tensor.Dims.AddRange(form.Dims);
        tensor.ClearRawData();
        tensor.FloatData.Clear();
        tensor.Int32Data.Clear();
        if (form.Type == DataType.Float)
            tensor.FloatData.AddRange(values);
        else
            tensor.Int32Data.AddRange(GraphBuilder.HalfTensor("", form.Type, values).Int32Data);
    }

    private static IEnumerable<GraphProto> Graphs(GraphProto graph) =>
        graph.Node.SelectMany(n => n.Attribute).Where(a => a.G is not null).SelectMany(a => Graphs(a.G)).Prepend(graph);
}
