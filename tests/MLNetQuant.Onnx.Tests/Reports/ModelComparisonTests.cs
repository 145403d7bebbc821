using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Reports;

public class ModelComparisonTests
{
    private static readonly OnnxTensor X = new GraphBuilder(seed: 6).Rows(10, 4);

    [Fact]
    public void A_model_compared_with_itself_has_no_error()
    {
        var model = SmallNets.OneLayer().Build();
        var comparison = ModelComparer.Compare(model, model, CalibrationRows.Of(("x", X)), batchSize: 3);
        Assert.Equal(10, comparison.Rows);
        Assert.Equal(new OutputError("y", 0, 0, 1), Assert.Single(comparison.Outputs));
    }

    [Fact]
    public void Scaled_weights_show_as_their_scale()
    {
        var b = SmallNets.OneLayer();
        var model = b.Build();
        var scaled = b.Proto();
        var weights = scaled.Graph.Initializer[0].FloatData;
        for (var i = 0; i < weights.Count; i++)
            weights[i] *= -0.5f;
        var output = Assert.Single(ModelComparer.Compare(model, OnnxModel.FromProto(scaled, "scaled"), CalibrationRows.Of(("x", X))).Outputs);
        Assert.Equal(1.5, output.RelativeError, 1e-6);
        Assert.InRange(output.ArgMaxAgreement!.Value, 0, 0.2);
    }

    [Fact]
    public void An_output_of_one_value_has_no_agreement()
    {
        var model = new GraphBuilder().Input("x", "N,4").Weight("W", 4, 1).Node("MatMul", "x,W", "y").Output("y").Build();
        Assert.Null(Assert.Single(ModelComparer.Compare(model, model, CalibrationRows.Of(("x", X))).Outputs).ArgMaxAgreement);
    }

    [Fact]
    public void An_output_that_is_not_finite_in_the_other_model_is_an_infinite_error_and_still_json()
    {
        var fine = SmallNets.OneLayer().Build();
        var broken = SmallNets.OneLayer().Proto();
        broken.Graph.Initializer[0].FloatData[3] = float.NaN;
        var comparison = ModelComparer.Compare(fine, OnnxModel.FromProto(broken, "broken"), CalibrationRows.Of(("x", X)));
        Assert.Equal(double.PositiveInfinity, Assert.Single(comparison.Outputs).RelativeError);
        Assert.Contains("\"Infinity\"", comparison.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public void Models_that_cannot_be_compared_are_refused()
    {
        var model = SmallNets.OneLayer().Build("one");
        Assert.Equal(
            "The models 'one' and 'other' share no float output: compare two forms of one model.",
            Refusal(model, new GraphBuilder().Input("x", "N,4").Node("Relu", "x", "z").Output("z").Build("other")));
        Assert.Equal(
            "The output 'y' is Float[10,3] in one model and Float[10,4] in the other: compare models of the same shape.",
            Refusal(model, new GraphBuilder().Input("x", "N,4").Node("Relu", "x", "y").Output("y").Build("other")));
        Assert.Equal(
            "The model 'other' has an input 'z' that 'one' lacks: compare models with the same inputs.",
            Refusal(model, new GraphBuilder().Input("z", "N,3").Node("Relu", "z", "y").Output("y").Build("other")));
        Assert.StartsWith(
            "ONNX Runtime cannot run 'one' or 'other' on this data: ",
            Refusal(model, new GraphBuilder().Input("x", "7,4").Weight("W", 4, 3).Node("MatMul", "x,W", "y").Output("y").Build("other")),
            StringComparison.Ordinal);
    }

    private static string Refusal(OnnxModel a, OnnxModel b) =>
        Assert.Throws<QuantizationException>(() => ModelComparer.Compare(a, b, CalibrationRows.Of(("x", X)))).Message;
}
