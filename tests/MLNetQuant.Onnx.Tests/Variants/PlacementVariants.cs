using MLNetQuant.Onnx.Proto;
using MLNetQuant.Onnx.Tests.Models;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.Tests.Variants;

/// <summary>The same few operators in every operator set, and with weights in every place that a model can keep them.</summary>
internal static class PlacementVariants
{
    private static readonly long[] Opsets = [7, 9, 11, 13, 17, 21];

    public static Dictionary<string, Variant> All
    {
        get
        {
            var all = new Dictionary<string, Variant>();
            foreach (var opset in Opsets)
            {
                foreach (var (op, variant) in OfOpset(opset))
                    all[$"{op}, operator set {opset}"] = variant;
            }

            foreach (var (name, variant) in Places.Concat(Shared).Concat(Branches).Concat(Functions))
                all[name] = variant;
            return all;
        }
    }

    private static Dictionary<string, Variant> OfOpset(long opset)
    {
        return new()
        {
            ["MatMul"] = new("N,30", [WeightForm.Matrix(30, 20)], () => Begin().Weight("W", 30, 20).Node("MatMul", "x,W", "y")),
            ["Gemm"] = new("N,30", [WeightForm.Rows(20, 30)], () => Begin().Weight("W", 20, 30).Weight("b", 20).Node("Gemm", "x,W,b", "y", ("transB", 1L))),
            ["Conv"] = new("N,4,6,6", [WeightForm.Filters("6,4,3,3")], () => Begin().Weight("W", 6, 4, 3, 3).Weight("b", 6).Node("Conv", "x,W,b", "y")),
            ["ConvTranspose"] = new("N,6,4", [WeightForm.Taps("6,4,3")], () => Begin().Weight("W", 6, 4, 3).Node("ConvTranspose", "x,W", "y")),
            ["Gather"] = new("N,3", [WeightForm.Rows(50, 20)], () => Begin().Weight("W", 50, 20).Node("Gather", "W,x", "y")) { Type = DataType.Int64, Table = 50 },
            ["LSTM"] = RecurrentVariants.Recurrent(Begin, "LSTM", "bidirectional"),
            ["GRU"] = RecurrentVariants.Recurrent(Begin, "GRU", "reverse"),
        };

        GraphBuilder Begin() => new(opset, ir: opset switch { 7 => 3, 9 => 4, 11 => 6, 13 => 7, 17 => 8, _ => 10 });
    }

    private static Dictionary<string, Variant> Places => new()
    {
        ["MatMul, IR 3, the weight is an input too"] = new(
            "N,30", [WeightForm.Matrix(30, 20)], () => new GraphBuilder(8, ir: 3).Input("W", "30,20").Weight("W", 30, 20).Node("MatMul", "x,W", "y")),
        ["Conv, IR 3, weight and bias are inputs too"] = new(
            "N,4,6",
            [WeightForm.Filters("6,4,3")],
            () => new GraphBuilder(8, ir: 3).Input("W", "6,4,3").Input("b", "6").Weight("W", 6, 4, 3).Weight("b", 6).Node("Conv", "x,W,b", "y")),
        ["MatMul, weight in a Constant"] = new("N,30", [WeightForm.Matrix(30, 20)], () => Constant(new(), "W", 30, 20).Node("MatMul", "x,W", "y")),
        ["Gemm, weight and bias in Constants"] = new(
            "N,30", [WeightForm.Rows(20, 30)], () => Constant(Constant(new(), "W", 20, 30), "b", 20).Node("Gemm", "x,W,b", "y", ("transB", 1L))),
        ["Conv, filters in a Constant"] = new("N,4,6", [WeightForm.Filters("6,2,3", 2)], () => Constant(new(), "W", 6, 2, 3).Node("Conv", "x,W", "y", ("group", 2L))),
        ["MatMul, weight through Transpose"] = new(
            "N,30", [WeightForm.Matrix(30, 20)], () => new GraphBuilder().Weight("V", 20, 30).Node("Transpose", "V", "W").Node("MatMul", "x,W", "y")),
        ["MatMul, weight through Slice and Concat"] = new(
            "N,30",
            [WeightForm.Matrix(30, 20)],
            () => new GraphBuilder().Weight("V", 40, 16).Constant("from", [5L], 1).Constant("to", [35L], 1).Constant("axis", [0L], 1)
                .Node("Slice", "V,from,to,axis", "S").Weight("U", 30, 4).Node("Concat", "S,U", "W", ("axis", 1L)).Node("MatMul", "x,W", "y")),
        ["Conv, filters through Reshape and Identity"] = new(
            "N,4,6",
            [WeightForm.Filters("6,4,3")],
            () => new GraphBuilder().Weight("V", 6, 12).Constant("shape", [6L, 4, 3], 3).Node("Reshape", "V,shape", "R").Node("Identity", "R", "W").Node("Conv", "x,W", "y")),
        ["Conv, filters through Unsqueeze"] = new(
            "N,4,6",
            [WeightForm.Filters("6,4,1")],
            () => new GraphBuilder().Weight("V", 6, 4).Constant("axes", [2L], 1).Node("Unsqueeze", "V,axes", "W").Node("Conv", "x,W", "y")),
    };

    private static Dictionary<string, Variant> Shared => new()
    {
        ["MatMul, two nodes share a weight"] = new(
            "N,30",
            [WeightForm.Matrix(30, 30)],
            () => new GraphBuilder().Weight("W", 30, 30).Node("MatMul", "x,W", "h").Node("Tanh", "h", "t").Node("MatMul", "t,W", "y")),
        ["Conv, two nodes share filters"] = new(
            "N,6,9",
            [WeightForm.Filters("6,6,3")],
            () => new GraphBuilder().Weight("W", 6, 6, 3).Weight("b", 6).Node("Conv", "x,W,b", "h", ("pads", new long[] { 1, 1 })).Node("Relu", "h", "r").Node("Conv", "r,W", "y")),
        ["Gather and Gemm of one table"] = new(
            "N,30",
            [WeightForm.Rows(40, 30)],
            () => new GraphBuilder().Weight("W", 40, 30).Weight("b", 40).Node("ArgMax", "x", "i", ("axis", 1L), ("keepdims", 0L)).Node("Gather", "W,i", "e")
                .Node("Add", "x,e", "z").Node("Gemm", "z,W,b", "y", ("transB", 1L))),
    };

    private static Dictionary<string, Variant> Branches => new()
    {
        ["If, weight in the branch"] = If(b => b.Weight("V", 30, 20).Node("MatMul", "h,V", "then_y"), WeightForm.Matrix(30, 20, "V")),
        ["If, weight in a Constant of the branch"] = If(b => Constant(b, "V", 30, 20).Node("MatMul", "h,V", "then_y"), WeightForm.Matrix(30, 20, "V")),
        ["If, weight outside"] = If(b => b.Node("MatMul", "h,W2", "then_y"), WeightForm.Matrix(30, 20, "W2") with { File = "W2" }, outer => outer.Weight("W2", 30, 20)),
        ["If, convolution in the branch"] = If(
            b => b.Weight("V", 20, 6, 1).Constant("long", [-1L, 30, 1], 3).Constant("flat", [-1L, 20], 2).Node("Reshape", "h,long", "l")
                .Node("Conv", "l,V", "k", ("group", 5L)).Node("Reshape", "k,flat", "then_y"),
            WeightForm.Filters("20,6,1", 5) with { Name = "V" }),
    };

    private static Dictionary<string, Variant> Functions => new()
    {
        ["Function, weight inside"] = Function("v", "x", f => Constant(f, "W", 30, 20), "call/W"),
        ["Function, weight given"] = Function("v,W", "x,W", f => f, "W", b => b.Weight("W", 30, 20)),
    };

    /// <summary>
    /// A layer, then an If that depends on the rows and of which one branch holds a layer; the other holds none. The weight of
    /// the branch is one of the graph in the file, under another name where the branch has that name for itself.
    /// </summary>
    private static Variant If(Func<GraphBuilder, GraphBuilder> then, WeightForm weight, Func<GraphBuilder, GraphBuilder>? outer = null) => new(
        "N,30",
        [WeightForm.Matrix(30, 30), weight.Name == "V" ? weight with { File = "V_2" } : weight],
        () =>
        {
            var b = new GraphBuilder().Weight("W", 30, 30).Constant("some", [20L], 1).Constant("zero", [0L], 1).Constant("one", [1L], 1);
            return (outer?.Invoke(b) ?? b).Node("MatMul", "x,W", "h")
                .Node("ReduceMax", "x", "most", ("keepdims", 0L)).Constant("limit", [5f]).Node("Less", "most,limit", "c")
                .Node(
                    "If",
                    "c",
                    "y",
                    ("then_branch", then(new GraphBuilder(seed: 3)).Output("then_y").Graph),
                    ("else_branch", new GraphBuilder().Node("Slice", "h,zero,some,one", "else_y").Output("else_y").Graph));
        });

    private static Variant Function(
        string formal, string actual, Func<GraphBuilder, GraphBuilder> body, string file, Func<GraphBuilder, GraphBuilder>? outer = null) => new(
        "N,30",
        [WeightForm.Matrix(30, 20) with { File = file }],
        () =>
        {
            var function = new FunctionProto { Name = "layer", Domain = "local", Output = { "o" }, OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 13 } } };
            function.Input.AddRange(formal.Split(','));
            function.Node.AddRange(body(new GraphBuilder(seed: 3)).Node("MatMul", "v,W", "p").Node("Tanh", "p", "o").Graph.Node);
            var b = new GraphBuilder().Function(function);
            return (outer?.Invoke(b) ?? b).Named("call", "local::layer", actual, "y");
        });

    private static GraphBuilder Constant(GraphBuilder b, string name, params long[] dims) =>
        b.Node("Constant", "", name, ("value", GraphBuilder.Tensor("", b.Floats(dims.Aggregate(1L, (x, y) => x * y)), dims)));
}
