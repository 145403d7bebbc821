using Google.Protobuf;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Onnx;
using MLNetQuant.Onnx.Proto;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;

namespace MLNetQuant.Tests.Chains;

/// <summary>Models as ML.NET exports them: outputs end in ".output", and a node that nothing needs carries names of slots.</summary>
public sealed class ExportedModelTests : IDisposable
{
    private readonly TwoSteps _two = new();
    private readonly ScratchFolder _folder = new();
    private readonly string _path;

    public ExportedModelTests()
    {
        _path = new ModelFile()
            .Input("x", TensorProto.Types.DataType.Float, -1, 8)
            .Weights("A", 8, 3)
            .Node("MatMul", "h.output", "x", "A")
            .Output("h.output", -1, 3)
            .Output("mlnet.h.unusedOutput", TensorProto.Types.DataType.Int64, 1, 1)
            .Save(_folder["exported.onnx"]);
        var model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(_path));
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "ai.onnx.ml", Version = 2 });
        var one = new TensorProto { Name = "one", DataType = (int)TensorProto.Types.DataType.String };
        one.Dims.AddRange([1, 1]);
        one.StringData.Add(ByteString.CopyFromUtf8("one"));
        model.Graph.Initializer.Add(one);
        var names = new NodeProto { OpType = "LabelEncoder", Domain = "ai.onnx.ml", Name = "mlnet.h.SlotNames" };
        names.Input.Add("one");
        names.Output.Add("mlnet.h.unusedOutput");
        var keys = new AttributeProto { Name = "keys_strings", Type = AttributeProto.Types.AttributeType.Strings };
        keys.Strings.AddRange(new[] { "red", "green", "blue" }.Select(ByteString.CopyFromUtf8));
        var values = new AttributeProto { Name = "values_int64s", Type = AttributeProto.Types.AttributeType.Ints };
        values.Ints.AddRange([0, 1, 2]);
        names.Attribute.AddRange([keys, values]);
        model.Graph.Node.Add(names);
        File.WriteAllBytes(_path, model.ToByteArray());
    }

    public void Dispose()
    {
        _two.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_step_of_a_chain_keeps_its_slot_names_also_when_it_is_saved()
    {
        using var model = _two.ML.Transforms.ApplyOnnxModel(_path).Fit(_two.Rows);
        var expected = SchemaText.Describe(model.GetOutputSchema(_two.Rows.Schema));
        Assert.Contains("\nh Vector<Single, ", expected, StringComparison.Ordinal);
        Assert.Contains(" SlotNames ", expected, StringComparison.Ordinal);
        Assert.EndsWith(" = red|green|blue", expected, StringComparison.Ordinal);

        using var quantized = (OnnxTransformer)_two.ML.Model.QuantizeWeights(model, _two.Rows, TwoSteps.Options);
        Assert.Equal(expected, SchemaText.Describe(quantized.GetOutputSchema(_two.Rows.Schema)));
        var loaded = _two.ML.Model.Load(new MemoryStream(_two.Save(quantized)), out _);
        Assert.Equal(expected, SchemaText.Describe(loaded.GetOutputSchema(_two.Rows.Schema)));
        (loaded as IDisposable)?.Dispose();
        Assert.NotEqual(
            [.. model.Transform(_two.Rows).GetColumn<float[]>("h")], quantized.Transform(_two.Rows).GetColumn<float[]>("h").ToArray());
    }

    [Fact]
    public void A_model_from_a_file_gives_the_columns_that_ML_NET_gives()
    {
        using var model = _two.ML.Transforms.ApplyOnnxModel(_path).Fit(_two.Rows);
        var estimator = _two.ML.Transforms.QuantizeWeights(_path, TwoSteps.Options);
        using var quantized = estimator.Fit(_two.Rows);
        Assert.Equal(
            SchemaText.Describe(model.Transform(_two.Rows).Schema), SchemaText.Describe(quantized.Transform(_two.Rows).Schema));
        var shape = ShapeCapture.Of(_two.Rows);
        Assert.Equal(
            ShapeCapture.Describe(_two.ML.Transforms.ApplyOnnxModel(_path).GetOutputSchema(shape)), ShapeCapture.Describe(estimator.GetOutputSchema(shape)));
        Assert.Equal(3, quantized.Transform(_two.Rows).GetColumn<float[]>("h").First().Length);
    }

    [Fact]
    public void An_input_that_ML_NET_passes_over_needs_no_column()
    {
        var path = new ModelFile()
            .Input("x", TensorProto.Types.DataType.Float, -1, 8)
            .Input("mlnet.z.unusedInput", TensorProto.Types.DataType.Float, -1, 1)
            .Weights("A", 8, 3)
            .Node("MatMul", "h", "x", "A")
            .Output("h", -1, 3)
            .Save(_folder["passed-over.onnx"]);
        using var model = _two.ML.Transforms.ApplyOnnxModel(path).Fit(_two.Rows);
        using var quantized = _two.ML.Transforms.QuantizeWeights(path, TwoSteps.Options).Fit(_two.Rows);
        using var inChain = (OnnxTransformer)_two.ML.Model.QuantizeWeights(model, _two.Rows, TwoSteps.Options);
        using var batched = model.Batched();
        RowValues.AssertNear(RowValues.Of(model.Transform(_two.Rows)), RowValues.Of(batched.Transform(_two.Rows)));
        Assert.Null(Assert.Single(batched.Steps).RowByRowReason);
        Assert.Null(quantized.Scoring.RowByRowReason);
        Assert.NotEqual(RowValues.Of(model.Transform(_two.Rows), "h"), RowValues.Of(inChain.Transform(_two.Rows), "h"));
        RowValues.AssertNear(RowValues.Of(inChain.Transform(_two.Rows), "h"), RowValues.Of(quantized.Transform(_two.Rows), "h"));
    }
}
