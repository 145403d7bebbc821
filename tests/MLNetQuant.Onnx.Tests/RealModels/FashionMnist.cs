using MLNetQuant.Algorithms;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.RealModels;

/// <summary>The excerpt of Fashion-MNIST in samples/data: calibration rows, and top-1 on 2,000 test images.</summary>
internal sealed class FashionMnist(string model, params long[] shape)
{
    private readonly Lazy<OnnxTensor> _test = new(() => TestFiles.Images(
        TestFiles.Sample("fashion-mnist/test-2000-images-idx3-ubyte.gz"), 0, 2000, 1 / 255f, shape));

    private readonly int[] _labels = TestFiles.Labels(TestFiles.Sample("fashion-mnist/test-2000-labels-idx1-ubyte.gz"), 2000);

    public OnnxModel Model { get; } = OnnxModel.Load(model);

    public QuantizedModel Quantize(int bits, string algorithm, int rows = 256, bool biasCorrection = true) => ModelQuantizer.Quantize(
        Model,
        CalibrationRows.Of(("input", TestFiles.Images(
            TestFiles.Sample("fashion-mnist/train-1024-images-idx3-ubyte.gz"), 0, rows, 1 / 255f, shape))),
        new QuantizationOptions { Bits = bits, Algorithm = WeightQuantizers.Parse(algorithm), BiasCorrection = biasCorrection });

    /// <summary>Percent of test images whose largest logit is at the label.</summary>
    public double Top1(OnnxModel model)
    {
        var logits = Runtime.Run(model, "logits", ("input", _test.Value)).Chunk(10).ToArray();
        return logits.Zip(_labels).Count(p => p.First.IndexOf(p.First.Max()) == p.Second) * 100.0 / _labels.Length;
    }
}
