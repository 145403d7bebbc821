using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Saved;

public sealed class SavedModelTests
{
    [Fact]
    public void Steps_of_nested_chains_are_listed_in_order()
    {
        var saved = SavedModel.Parse(new ZipWriter()
            .Chain("TransformerChain", 3)
            .Key("TransformerChain/Transform_000", "ConcatTransform", _ => { })
            .Chain("TransformerChain/Transform_001", 2)
            .Onnx("TransformerChain/Transform_001/Transform_000", Model(), ["x"], ["y"], ("x", [1, 2, 8]))
            .Key("TransformerChain/Transform_001/Transform_001", "Normalizer", _ => { })
            .Prediction("TransformerChain/Transform_002", "BinaryPredXfer", "Features")
            .Key("TransformerChain/Transform_002/Model", "FastTreeBinaryExec", _ => { })
            .ToBytes());
        Assert.Equal(
            ["Transform_000", "Transform_001/Transform_000", "Transform_001/Transform_001", "Transform_002"],
            saved.Steps.Select(s => s.Folder["TransformerChain/".Length..]));
        Assert.Equal(
            [SavedStepKind.WithoutParameters, SavedStepKind.Onnx, SavedStepKind.Other, SavedStepKind.Other], saved.Steps.Select(s => s.Kind));
        Assert.Equal("FastTreeBinaryModelParameters", saved.Steps[3].TypeName);
        Assert.Equal("decision trees compare and add, and have no weights that a product takes", saved.Steps[3].Reason);

        var onnx = saved.ReadOnnx(saved.Steps[1]);
        Assert.Equal(["x"], onnx.Inputs);
        Assert.Equal(["y"], onnx.Outputs);
        Assert.Equal([1, 2, 8], onnx.Shapes["x"]);
        Assert.Equal(Model(), onnx.Model.ToBytes());
    }

    [Fact]
    public void Scopes_of_the_outermost_chain_are_read()
    {
        var zip = new ZipWriter().Key("TransformerChain", "TransformerChain", data =>
        {
            foreach (var number in new[] { 3, 7, 1, 6 })
                data.Write(number);
        });
        for (var i = 0; i < 3; i++)
            zip.Key($"TransformerChain/Transform_{i:000}", "CopyTransform", _ => { });
        Assert.Equal([7, 1, 6], SavedModel.Parse(zip.ToBytes()).ReadScopes());
        Assert.Empty(SavedModel.Parse(new ZipWriter().Key("TransformerChain", "CopyTransform", _ => { }).ToBytes()).ReadScopes());
    }

    [Theory]
    [InlineData("TXTCLSS", "TextClassificationTransformer", "TorchSharp")]
    [InlineData("TensorFlowTransform", "TensorFlowTransformer", "TensorFlow")]
    [InlineData("TreeEnseFeat", "TreeEnsembleFeaturizationTransformer", "decision trees")]
    [InlineData("FutureTransform", "FutureTransform", "not quantized")]
    public void Steps_that_are_left_alone_say_why(string signature, string type, string reason)
    {
        var step = Assert.Single(SavedModel.Parse(new ZipWriter().Key("TransformerChain", signature, _ => { }).ToBytes()).Steps);
        Assert.Equal((SavedStepKind.Other, type), (step.Kind, step.TypeName));
        Assert.Contains(reason, step.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void One_versus_all_of_trees_is_no_linear_model()
    {
        var zip = new ZipWriter().Prediction("TransformerChain", "MulticlassPredXfer", "Features").Key("TransformerChain/Model", "OVAExec", d =>
        {
            d.Write(4);
            d.Write((byte)0);
            d.Write(2);
        });
        LinearZip.Single(zip, "TransformerChain/Model/SubPredictor_000", "Linear2CExec", [1, 2], 0, sparse: false);
        zip.Key("TransformerChain/Model/SubPredictor_001", "FastForestBinaryExec", _ => { });
        var step = Assert.Single(SavedModel.Parse(zip.ToBytes()).Steps);
        Assert.Equal((SavedStepKind.Other, "FastForestBinaryModelParameters"), (step.Kind, step.TypeName));
    }

    [Fact]
    public void Another_ONNX_model_takes_the_place_of_one()
    {
        var bytes = new ZipWriter { Separator = '\\' }
            .Chain("TransformerChain", 2)
            .Onnx("TransformerChain/Transform_000", Model(), ["x"], ["y"])
            .Onnx("TransformerChain/Transform_001", Model(), ["x"], ["y"])
            .ToBytes();
        var saved = SavedModel.Parse(bytes);
        var other = OnnxModel.Parse(Model(3));
        var changed = SavedModel.Parse(saved.With(saved.Steps[1], other).ToBytes());
        Assert.Equal(Model(), changed.ReadOnnx(changed.Steps[0]).Model.ToBytes());
        Assert.Equal(Model(3), changed.ReadOnnx(changed.Steps[1]).Model.ToBytes());
        Assert.Equal(Model(), saved.ReadOnnx(saved.Steps[1]).Model.ToBytes());
        Assert.Throws<ArgumentException>(() => saved.With(saved.Steps[0] with { Kind = SavedStepKind.Linear }, other));
    }

    [Fact]
    public void A_step_of_the_first_version_has_one_column_of_each()
    {
        var saved = SavedModel.Parse(new ZipWriter()
            .Key("TransformerChain", "OnnxTransform", d =>
            {
                d.Write(1);
                d.Write(0);
                d.Write(0);
            }, ["y", "x"], version: 0x00010001)
            .Entry("TransformerChain/OnnxModel", [.. BitConverter.GetBytes(Model().Length), .. Model()])
            .ToBytes());
        var onnx = saved.ReadOnnx(saved.Steps[0]);
        Assert.Equal(["x"], onnx.Inputs);
        Assert.Equal(["y"], onnx.Outputs);
    }

    [Fact]
    public void What_is_no_saved_model_is_refused()
    {
        Says("The model 'm' is truncated or not a zip: give a complete model that ML.NET saved.", [1, 2, 3]);
        Says("The model 'm' is truncated or not a zip: give a complete model that ML.NET saved.", LinearZip.Of("binary").Bytes[..^40]);
        Says("The model 'm' is no model that ML.NET saved (it has no entry 'TransformerChain/Model.key'): give a file that ml.Model.Save wrote.", new ZipWriter().Entry("readme.txt", [1]).ToBytes());
        Says("The model 'm' lacks the step 'TransformerChain/Transform_000': save the model again.", new ZipWriter().Chain("TransformerChain", 1).ToBytes());
        Says("The step 'TransformerChain' of the model 'm' is damaged (it is no saved step): save the model again.", new ZipWriter().Entry("TransformerChain/Model.key", new byte[300]).ToBytes());
        Says("The step 'TransformerChain' of the model 'm' is damaged (it ends too early): save the model again.", new ZipWriter().Key("TransformerChain", "TransformerChain", _ => { }).ToBytes());
        Assert.Equal("The model file '/none/m.zip' does not exist: check the path.", Assert.Throws<QuantizationException>(() => SavedModel.Load("/none/m.zip")).Message);

        static void Says(string sentence, byte[] bytes) =>
            Assert.Equal(sentence, Assert.Throws<QuantizationException>(() => SavedModel.Parse(bytes, "m")).Message);
    }

    [Fact]
    public void Damaged_weights_are_refused()
    {
        Says("its numbers of weights and features disagree", 4, 0f, 5, 0, 3, 1f, 2f, 3f);
        Says("it is cut off", 4, 0f, 5, 0, 5, 1f, 2f, 3f);
        Says("it has a negative count", 4, 0f, -1);
        Says("its features are not in order", 4, 0f, 5, 2, 3, 1, 2, 1f, 2f);
        Says("its features are not in order", 4, 0f, 5, 1, 5, 1, 1f);
        Says("its numbers are not of single precision", 8, 0f);
        Says("it ends too early", 4, 0f);

        static void Says(string why, params object[] numbers)
        {
            var saved = SavedModel.Parse(new ZipWriter().Prediction("TransformerChain", "BinaryPredXfer", "Features").Key("TransformerChain/Model", "Linear2CExec", d =>
            {
                foreach (var number in numbers)
                {
                    if (number is int whole)
                        d.Write(whole);
                    else
                        d.Write((float)number);
                }
            }).ToBytes(), "m");
            Assert.Equal(
                $"The step 'TransformerChain' of the model 'm' is damaged ({why}): save the model again.",
                Assert.Throws<QuantizationException>(() => saved.ReadLinear(saved.Steps[0])).Message);
        }
    }

    private static byte[] Model(int outputs = 2) =>
        new GraphBuilder().Input("x", "N,8").Weight("W", 8, outputs).Node("MatMul", "x,W", "y").Output("y").Build().ToBytes();
}
