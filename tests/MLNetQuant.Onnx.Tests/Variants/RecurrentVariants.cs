using MLNetQuant.Onnx.Tests.Models;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.Tests.Variants;

/// <summary>LSTM and GRU, and tables that are looked up.</summary>
internal static class RecurrentVariants
{
    private const int Inputs = 6;
    private const int Hidden = 7;

    public static Dictionary<string, Variant> All => new()
    {
        ["LSTM, forward"] = Recurrent("LSTM", "forward"),
        ["LSTM, reverse"] = Recurrent("LSTM", "reverse"),
        ["LSTM, bidirectional"] = Recurrent("LSTM", "bidirectional"),
        ["LSTM, reverse, initial state"] = Recurrent("LSTM", "reverse", "x,W,R,,,h0"),
        ["LSTM, bidirectional, biases, initial states, peepholes"] = Recurrent("LSTM", "bidirectional", "x,W,R,b,,h0,c0,P"),
        ["LSTM, last state alone"] = Recurrent("LSTM", "forward", outputs: ",y"),
        ["GRU, forward"] = Recurrent("GRU", "forward"),
        ["GRU, reverse"] = Recurrent("GRU", "reverse"),
        ["GRU, bidirectional"] = Recurrent("GRU", "bidirectional"),
        ["GRU, forward, reset after"] = Recurrent("GRU", "forward", attributes: ("linear_before_reset", 1L)),
        ["GRU, bidirectional, reset after, biases, initial state, last state alone"] =
            Recurrent("GRU", "bidirectional", "x,W,R,b,,h0", ",y", ("linear_before_reset", 1L)),
        ["Gather"] = Gather("N,3", ("axis", 0L)),
        ["Gather, one index a row"] = Gather("N"),
        ["Gather, one index"] = Gather("1"),
        ["Gather, then MatMul"] = new(
            "N,3",
            [WeightForm.Rows(50, 20, "E"), WeightForm.Matrix(20, 9)],
            () => new GraphBuilder().Weight("E", 50, 20).Weight("W", 20, 9).Node("Gather", "E,x", "e").Node("MatMul", "e,W", "y"))
        { Type = DataType.Int64, Table = 50 },
    };

    /// <summary>A recurrent node of some operator set.</summary>
    public static Variant Recurrent(
        string op, string direction, string inputs = "x,W,R", string outputs = "y", params (string, object)[] attributes) =>
        Recurrent(() => new GraphBuilder(opset: 14), op, direction, inputs, outputs, attributes);

    /// <summary>A recurrent node in a model begun elsewhere.</summary>
    public static Variant Recurrent(
        Func<GraphBuilder> begin, string op, string direction, string inputs = "x,W,R", string outputs = "y", params (string, object)[] attributes)
    {
        var directions = direction == "bidirectional" ? 2 : 1;
        var gates = op == "LSTM" ? 4 : 3;
        WeightForm[] weights =
        [
            WeightForm.Gates("W", directions, gates * Hidden, Inputs), WeightForm.Gates("R", directions, gates * Hidden, Hidden),
        ];
        return new("5,N,6", weights, Build);

        GraphBuilder Build()
        {
            var b = begin();
            foreach (var name in inputs.Split(',').Skip(1).Where(n => n.Length > 0))
            {
                _ = name switch
                {
                    "W" => b.Weight(name, weights[0].Dims),
                    "R" => b.Weight(name, weights[1].Dims),
                    "b" => b.Weight(name, directions, 2 * gates * Hidden),
                    "P" => b.Weight(name, directions, 3 * Hidden),
                    _ => b.Weight(name, directions, 2, Hidden),
                };
            }

            return b.Node(op, inputs, outputs, [("hidden_size", (long)Hidden), ("direction", direction), .. attributes]);
        }
    }

    private static Variant Gather(string input, params (string, object)[] attributes) => new(
        input, [WeightForm.Rows(50, 20)], () => new GraphBuilder().Weight("W", 50, 20).Node("Gather", "W,x", "y", attributes))
    { Type = DataType.Int64, Table = 50 };
}
