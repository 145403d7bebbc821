using System.Security.Cryptography;
using MLNetQuant.Onnx.Tests.Models;
using Xunit.Abstractions;

namespace MLNetQuant.Onnx.Tests.RealModels;

/// <summary>Models of other families, 8 bits with default options on few rows, judged on rows that calibrated nothing.</summary>
public class OtherModelsTests(ITestOutputHelper output)
{
    [SharedFact("models/clinc_gru.onnx", "data/clinc/calib_tokens.npy", "data/clinc/test_tokens.npy")]
    public void Clinc_gru_classifies_as_before() => Check(
        "clinc_gru", 0.02, 0.98, "tokens", TestFiles.Npy<long>(TestFiles.Shared("data/clinc/calib_tokens.npy"), 200),
        TestFiles.Npy<long>(TestFiles.Shared("data/clinc/test_tokens.npy"), 300));

    [SharedFact("models/magika_v3_3.onnx", "data/magika/calib_bytes.npy.gz", "data/magika/test_bytes.npy.gz")]
    public void Magika_classifies_as_before() => Check(
        "magika_v3_3", 0.03, 0.98, "bytes", TestFiles.Npy<int>(TestFiles.Shared("data/magika/calib_bytes.npy.gz"), 12),
        TestFiles.Npy<int>(TestFiles.Shared("data/magika/test_bytes.npy.gz"), 32));

    [SharedFact("models/stories260k.onnx", "data/stories/calib_tokens.npy", "data/stories/test_tokens.npy")]
    public void Stories_predicts_as_before() => Check(
        "stories260k", 0.02, 0.97, "tokens", TestFiles.Npy<long>(TestFiles.Shared("data/stories/calib_tokens.npy"), 8),
        TestFiles.Npy<long>(TestFiles.Shared("data/stories/test_tokens.npy"), 4));

    [SharedFact("models/mnist_cntk.onnx", "data/mnist/t10k-images-idx3-ubyte.gz")]
    public void Mnist_cntk_with_its_fixed_batch_classifies_as_before()
    {
        var images = TestFiles.Shared("data/mnist/t10k-images-idx3-ubyte.gz");
        var quantized = Check(
            "mnist_cntk", 0.02, 0.98, "Input3", TestFiles.Images(images, 0, 100, 1, 1, 28, 28), TestFiles.Images(images, 1000, 200, 1, 1, 28, 28));
        Assert.Equal(["Input3"], quantized.Proto.Graph.Input.Select(i => i.Name));
    }

    private OnnxModel Check(string name, double error, double agreement, string input, OnnxTensor calibration, OnnxTensor test)
    {
        var path = TestFiles.Shared($"models/{name}.onnx");
        var model = OnnxModel.Load(path);
        var result = ModelQuantizer.Quantize(model, CalibrationRows.Of((input, calibration)), QuantizationOptions.Default);
        var compared = ModelComparer.Compare(model, result.Model, CalibrationRows.Of((input, test))).Outputs[0];
        output.WriteLine($"{compared}; {result.Report.Seconds:F1} s; {result.Report.QuantizedBytes} of {result.Report.FloatBytes} bytes");
        Assert.InRange(compared.RelativeError, 1e-6, error);
        Assert.InRange(compared.ArgMaxAgreement!.Value, agreement, 1);
        Assert.All(result.Report.Layers, l => Assert.InRange(l.RelativeError, 0, 0.05));
        Assert.Equal(
            Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))),
            result.Model.Proto.MetadataProps.Single(p => p.Key == "mlnetquant.source.sha256").Value);
        return result.Model;
    }
}
