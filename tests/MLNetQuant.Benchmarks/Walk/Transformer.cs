using MLNetQuant.Onnx;

namespace MLNetQuant.Benchmarks.Walk;

/// <summary>Blocks of normalization, attention of four heads, normalization, and two layers with four times the width between.</summary>
internal static class Transformer
{
    private const int Width = 256;
    private const int Inner = 4 * Width;
    private const int Heads = 4;
    private const int Tokens = 64;
    private const int Sequences = 96;

    /// <param name="blocks">Blocks, each with six layers.</param>
    /// <param name="rowsPerLayer">Rows of a layer's matrix problem at most.</param>
    public static GeneratedModel Create(int blocks, int rowsPerLayer)
    {
        var writer = new ModelWriter();
        var x = GeneratedModel.Input;
        for (var block = 0; block < blocks; block++)
            x = FeedForward(writer, Attention(writer, x));
        var name = $"transformer, width {Width}, {Tokens} tokens";
        var rows = ModelWriter.Numbers(new Random(2), Sequences * Tokens * Width, 1);
        return new(
            name,
            blocks,
            writer.Build(name, Normalized(writer, x), Tokens, Width),
            OnnxTensor.Create(rows, Sequences, Tokens, Width),
            [.. Enumerable.Repeat((int[])[Width, Width, Width, Inner], blocks).SelectMany(b => b)], // queries, keys, values share one
            Math.Min(rowsPerLayer, Sequences * Tokens));
    }

    private static string Attention(ModelWriter writer, string x)
    {
        var normalized = Normalized(writer, x);
        var split = writer.Integers(0, Tokens, Heads, Width / Heads);
        var q = Head(0, 2, 1, 3);
        var k = Head(0, 2, 3, 1);
        var v = Head(0, 2, 1, 3);
        var scores = writer.Node("Mul", [writer.Node("MatMul", [q, k]), writer.Floats([(float)Math.Sqrt((double)Heads / Width)])]);
        var mixed = writer.Node("MatMul", [writer.Node("Softmax", [scores], ModelWriter.Int("axis", -1)), v]);
        var joined = writer.Node("Reshape", [writer.Node("Transpose", [mixed], ModelWriter.Ints("perm", 0, 2, 1, 3)), writer.Integers(0, Tokens, Width)]);
        return writer.Node("Add", [x, Linear(writer, joined, Width, Width)]);

        string Head(params long[] order) => writer.Node(
            "Transpose", [writer.Node("Reshape", [Linear(writer, normalized, Width, Width), split])], ModelWriter.Ints("perm", order));
    }

    private static string FeedForward(ModelWriter writer, string x)
    {
        var inner = Linear(writer, Normalized(writer, x), Width, Inner);
        var scaled = writer.Node("Mul", [inner, writer.Floats([(float)Math.Sqrt(0.5)])]);
        var share = writer.Node("Add", [writer.Node("Erf", [scaled]), writer.Floats([1])]);
        var gelu = writer.Node("Mul", [writer.Node("Mul", [inner, share]), writer.Floats([0.5f])]);
        return writer.Node("Add", [x, Linear(writer, gelu, Inner, Width)]);
    }

    private static string Linear(ModelWriter writer, string x, int inputs, int outputs) =>
        writer.Node("Add", [writer.Node("MatMul", [x, writer.Weight(Math.Sqrt(3.0 / inputs), inputs, outputs)]), writer.Weight(0.1, outputs)]);

    private static string Normalized(ModelWriter writer, string x)
    {
        var ones = new float[Width];
        Array.Fill(ones, 1);
        return writer.Node("LayerNormalization", [x, writer.Floats(ones, Width), writer.Weight(0.1, Width)], ModelWriter.Int("axis", -1));
    }
}
