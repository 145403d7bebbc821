using Google.Protobuf;
using MLNetQuant.Algorithms;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Saved;

public sealed class SavedModelComparerTests
{
    private const int Features = 40;

    [Theory]
    [InlineData("binary")]
    [InlineData("calibrated ova")]
    [InlineData("sparse multiclass")]
    public void The_scores_of_linear_models_are_compared(string kind)
    {
        var (reference, other) = Pair(kind);
        var rows = LinearZip.Rows(50, Features);
        var step = Assert.Single(SavedModelComparer.Compare(reference, other, Data(rows)).Steps);
        Assert.Equal(("TransformerChain/Transform_002", null), (step.Folder, step.NotCompared));
        Assert.Equal(50, step.Comparison!.Rows);
        var error = Assert.Single(step.Comparison.Outputs);

        var (a, b) = (Scores(reference, rows), Scores(other, rows));
        var width = a.Length / 50;
        Assert.Equal("Score", error.Name);
        Assert.Equal(Math.Sqrt(a.Zip(b, (x, y) => (x - y) * (x - y)).Sum() / a.Sum(x => x * x)), error.RelativeError, 5);
        Assert.Equal(a.Zip(b, (x, y) => Math.Abs(x - y)).Max(), error.MaxAbsoluteError, 4);
        Assert.InRange(error.RelativeError, 0.01, 1);
        double? agreement = width == 1 ? null : a.Chunk(width).Zip(b.Chunk(width)).Average(r => ArgMax(r.First) == ArgMax(r.Second) ? 1.0 : 0.0);
        Assert.Equal(agreement, error.ArgMaxAgreement);

        static int ArgMax(double[] row) => Array.IndexOf(row, row.Max());
    }

    [Fact]
    public void Rows_that_do_not_fit_are_refused()
    {
        var (reference, other) = Pair("binary");
        Assert.Equal(
            "The rows for 'Features' have the shape [3,7], and the step 'TransformerChain/Transform_002' takes vectors of 40 features: give an array of rows × 40.",
            Message(() => SavedModelComparer.Compare(reference, other, new(new Dictionary<string, OnnxTensor> { ["Features"] = OnnxTensor.Create(new float[21], 3, 7) }))));
        Assert.Equal(
            "The data have rows for no step of the model 'model' (they have 'x'): name them as the inputs of a step (TransformerChain/Transform_002: 'Features').",
            Message(() => SavedModelComparer.Compare(reference, other, new(new Dictionary<string, OnnxTensor> { ["x"] = OnnxTensor.Create(new float[40], 1, 40) }))));
        var wider = SavedModel.Parse(LinearZip.Of("binary", features: 41).Bytes);
        Assert.Equal(
            "The step 'TransformerChain/Transform_002' has 1 outputs of 40 features in one model, and 1 of 41 in the other: compare two forms of one model.",
            Message(() => SavedModelComparer.Compare(reference, wider, Data(new float[Features]))));
    }

    [Fact]
    public void Rows_that_fit_one_step_of_two_are_compared_there()
    {
        var narrow = Step("narrow", 4);
        var wide = Step("wide", 6);
        var bytes = new ZipWriter().Chain("TransformerChain", 2)
            .Onnx("TransformerChain/Transform_000", narrow, ["x"], ["narrow"])
            .Onnx("TransformerChain/Transform_001", wide, ["x"], ["wide"]).ToBytes();
        var (reference, other) = (SavedModel.Parse(bytes), SavedModel.Parse(bytes));
        IReadOnlyCollection<string>? asked = null;
        var steps = SavedModelComparer.ReadAndCompare(reference, other, columns =>
        {
            asked = columns;
            return Rows(6);
        }).Steps;
        Assert.Equal(["x"], asked);
        Assert.Null(steps[0].Comparison);
        Assert.StartsWith("it cannot be compared on these rows (", steps[0].NotCompared, StringComparison.Ordinal);
        Assert.Contains("'x'", steps[0].NotCompared, StringComparison.Ordinal);
        Assert.Equal((3, "wide", 0.0), (steps[1].Comparison!.Rows, steps[1].Comparison!.Outputs[0].Name, steps[1].Comparison!.Outputs[0].RelativeError));
        Assert.Null(steps[1].NotCompared);

        // None fits: the first reason is the message.
        var message = Message(() => SavedModelComparer.Compare(reference, other, Rows(5)));
        Assert.Contains("'x'", message, StringComparison.Ordinal);
        Assert.DoesNotContain("rows for no step", message, StringComparison.Ordinal);

        static byte[] Step(string output, int width) => new GraphBuilder().Input("x", $"N,{width}").Input("mlnet.z.unusedInput", "N,1")
            .Node("Relu", "x", output).Output(output).Proto().ToByteArray();

        static CalibrationData Rows(int width) =>
            new(new Dictionary<string, OnnxTensor> { ["x"] = OnnxTensor.Create([.. Enumerable.Range(1, 3 * width).Select(i => (float)i)], 3, width) });
    }

    [Fact]
    public void Forms_of_other_inputs_are_refused() => Assert.Equal(
        "The step 'TransformerChain/Transform_000' has the inputs 'x' in one model, and 'z' in the other: compare two forms of one model.",
        Message(() => SavedModelComparer.Compare(OneStep("x"), OneStep("z"), new(new Dictionary<string, OnnxTensor> { ["x"] = OnnxTensor.Create(new float[4], 1, 4) }))));

    private static SavedModel OneStep(string input) => SavedModel.Parse(new ZipWriter().Chain("TransformerChain", 1).Onnx(
        "TransformerChain/Transform_000", new GraphBuilder().Input(input, "N,4").Node("Relu", input, "y").Output("y").Proto().ToByteArray(), [input], ["y"]).ToBytes());

    private static string Message(Func<object> act) => Assert.Throws<QuantizationException>(act).Message;

    private static CalibrationData Data(float[] rows) =>
        new(new Dictionary<string, OnnxTensor> { ["Features"] = OnnxTensor.Create(rows, rows.Length / Features, Features) });

    /// <summary>A model, and the same with its weights rounded.</summary>
    private static (SavedModel Reference, SavedModel Other) Pair(string kind)
    {
        var reference = SavedModel.Parse(LinearZip.Of(kind, Features).Bytes);
        var quantized = LinearModelQuantizer.Quantize(
            reference.ReadLinear(reference.Steps[2]), LinearZip.Rows(100, Features), new() { Bits = 3, Algorithm = new Msq() });
        return (reference, reference.With(reference.Steps[2], quantized.Model));
    }

    private static double[] Scores(SavedModel saved, float[] rows)
    {
        var model = saved.ReadLinear(saved.Steps[2]);
        return LinearZip.Score(LinearZip.Dense(model), [.. model.Outputs.Select(o => o.Bias)], rows);
    }
}
