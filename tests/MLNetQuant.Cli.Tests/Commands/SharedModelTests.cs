using System.Text.Json;

namespace MLNetQuant.Cli.Tests.Commands;

/// <summary>Models of other families than the committed one.</summary>
public sealed class SharedModelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [SharedFact]
    public void A_multilayer_perceptron() => Check("fmnist_mlp.onnx", layers: 3, 784);

    [SharedFact]
    public void A_convolutional_network_with_batch_normalization() => Check("fmnist_cnn_bn.onnx", layers: 14, 1, 28, 28);

    [SharedFact]
    public void A_vision_transformer_whose_attention_products_have_no_weights() => Check("fmnist_vit.onnx", layers: null, 1, 28, 28);

    public void Dispose() => _folder.Dispose();

    private void Check(string file, int? layers, params int[] imageShape)
    {
        var model = Path.Combine(Repository.Shared, "models", file);
        Repository.WriteCalibrationImages(_folder["rows.npy"], 64, imageShape);
        string[] quantize = ["quantize", model, "--calibration", _folder["rows.npy"], "--bits", "4"];

        CommandLine.Run("inspect", model, "--json", _folder["i.json"]).ShouldSucceed();
        CommandLine.Run([.. quantize, "-o", _folder["gpfq.onnx"], "--json", _folder["r.json"]]).ShouldSucceed();
        CommandLine.Run([.. quantize, "-o", _folder["msq.onnx"], "--algorithm", "msq"]).ShouldSucceed();

        Assert.Equal(layers ?? Layers("i.json"), Layers("r.json"));
        Assert.InRange(OutputError(model, "gpfq.onnx"), 1e-4, 0.9 * OutputError(model, "msq.onnx"));
        Assert.InRange(new FileInfo(_folder["gpfq.onnx"]).Length, 1, new FileInfo(model).Length * 3 / 10);
    }

    private int Layers(string file)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(_folder[file]));
        return json.RootElement.GetProperty("layers").GetArrayLength();
    }

    private double OutputError(string reference, string model)
    {
        CommandLine.Run("compare", reference, _folder[model], "--data", _folder["rows.npy"], "--json", _folder["c.json"]).ShouldSucceed();
        using var json = JsonDocument.Parse(File.ReadAllText(_folder["c.json"]));
        return json.RootElement.GetProperty("outputs")[0].GetProperty("relativeError").GetDouble();
    }
}
