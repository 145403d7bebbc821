using MLNetQuant.Onnx;

namespace MLNetQuant.Benchmarks.Walk;

/// <summary>Blocks of two 3×3 convolutions of 64 channels on 16×16 positions, each with a connection around it.</summary>
internal static class ResidualCnn
{
    private const int Channels = 64;
    private const int Extent = 16;
    private const int Kernel = 3;
    private const int Images = 96;

    /// <param name="layers">Convolutions, an even number.</param>
    /// <param name="rowsPerLayer">Rows of a layer's matrix problem at most.</param>
    public static GeneratedModel Create(int layers, int rowsPerLayer)
    {
        var writer = new ModelWriter();
        var x = GeneratedModel.Input;
        for (var block = 0; block < layers / 2; block++)
        {
            var inside = writer.Node("Relu", [Convolution(writer, x)]);
            x = writer.Node("Relu", [writer.Node("Add", [x, Convolution(writer, inside)])]);
        }

        var name = $"residual CNN, {Channels} channels, {Extent}×{Extent}";
        var rows = ModelWriter.Numbers(new Random(2), Images * Channels * Extent * Extent, 1);
        return new(
            name,
            layers,
            writer.Build(name, writer.Node("GlobalAveragePool", [x]), Channels, Extent, Extent),
            OnnxTensor.Create(rows, Images, Channels, Extent, Extent),
            [.. Enumerable.Repeat(Channels * Kernel * Kernel, layers)],
            Math.Min(rowsPerLayer, Images * Extent * Extent));
    }

    private static string Convolution(ModelWriter writer, string x)
    {
        const int Inputs = Channels * Kernel * Kernel;
        var weight = writer.Weight(Math.Sqrt(3.0 / Inputs), Channels, Channels, Kernel, Kernel);
        var bias = writer.Weight(0.1, Channels);
        return writer.Node("Conv", [x, weight, bias], ModelWriter.Ints("kernel_shape", Kernel, Kernel), ModelWriter.Ints("pads", 1, 1, 1, 1));
    }
}
