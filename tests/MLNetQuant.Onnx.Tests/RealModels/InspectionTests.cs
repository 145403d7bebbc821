using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.RealModels;

/// <summary>What is found in real models; the numbers are those of their manifest, or counted by hand.</summary>
public class InspectionTests
{
    [Fact]
    public void Fmnist_cnn_is_all_layers()
    {
        var inspection = ModelInspector.Inspect(OnnxModel.Load(TestFiles.Sample("fmnist_cnn.onnx")));
        Assert.Equal("Conv:13:193616 Gemm:1:960", Found(inspection));
        Assert.Empty(inspection.Skipped);
        Assert.Equal(787_536, inspection.Bytes);
        Assert.Equal((7L, 13L), (inspection.IrVersion, inspection.Opsets["ai.onnx"]));
        Assert.Equal(["input Float[N,1,28,28]"], inspection.Inputs);
        Assert.Contains(inspection.Layers, l => l.Groups == 8 && l.Inputs > 9);
        Assert.Contains(inspection.Layers, l => l.Groups > 8 && l.Inputs == 9 && l.Outputs == l.Groups);
        Assert.Contains("\"layers\"", inspection.ToJson(), StringComparison.Ordinal);
    }

    [SharedFact("models/fmnist_mlp.onnx")]
    public void Fmnist_mlp_is_all_layers() => Check("fmnist_mlp", "Gemm:3:1861632");

    [SharedFact("models/fmnist_cnn_bn.onnx")]
    public void Fmnist_cnn_bn_has_the_layers_of_the_folded_network() => Check("fmnist_cnn_bn", "Conv:13:193616 Gemm:1:960");

    [SharedFact("models/fmnist_vit.onnx")]
    public void Fmnist_vit_has_its_weights_and_not_its_attention_products() => Check("fmnist_vit", "Conv:1:6272 MatMul:18:393216 Gemm:1:1280");

    [SharedFact("models/clinc_gru.onnx")]
    public void Clinc_gru_is_all_layers_its_embedding_and_its_recurrence_included() =>
        Assert.Empty(Check("clinc_gru", $"Gather:1:487296 GRU:2:{73_728 + 98_304} Gemm:2:103936"));

    [SharedFact("models/magika_v3_3.onnx")]
    public void Magika_is_all_layers() => Assert.Empty(Check("magika_v3_3", "MatMul:2:126016 Conv:1:655360"));

    [SharedFact("models/mnist_cntk.onnx")]
    public void Mnist_cntk_is_all_layers_though_one_weight_goes_through_a_reshape() =>
        Assert.Empty(Check("mnist_cntk", "Conv:2:3400 MatMul:1:2560"));

    [SharedFact("models/stories260k.onnx")]
    public void Stories_counts_its_embedding_and_not_its_causal_mask() =>
        Assert.Empty(Check("stories260k", "Gather:1:32768 MatMul:36:259328"));

    [SharedFact("models/silero_vad_16k_op15.onnx")]
    public void Silero_gives_its_outer_convolutions() => Check("silero_vad_16k_op15", "Conv:6:177152");

    private static IReadOnlyList<SkippedLayer> Check(string model, string found)
    {
        var inspection = ModelInspector.Inspect(OnnxModel.Load(TestFiles.Shared($"models/{model}.onnx")));
        Assert.Equal(found, Found(inspection));
        Assert.All(inspection.Skipped, s => Assert.NotEmpty(s.Reason));
        return inspection.Skipped;
    }

    private static string Found(ModelInspection inspection) => string.Join(
        ' ', inspection.Layers.GroupBy(l => l.Op).Select(g => $"{g.Key}:{g.Count()}:{g.Sum(l => l.Weights)}"));
}
