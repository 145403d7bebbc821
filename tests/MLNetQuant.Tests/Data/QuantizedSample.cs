using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetQuant.Tests.Data;

/// <summary>The sample model quantized once, to 8 bits on 64 images, for the tests of one class.</summary>
public sealed class QuantizedSample : IDisposable
{
    public QuantizedSample()
    {
        Calibration = ML.Data.LoadFromEnumerable(FashionMnist.Calibration.Take(64));
        Images = ML.Data.LoadFromEnumerable(FashionMnist.Test.Take(20));
        Model = ML.Transforms.QuantizeWeights(FashionMnist.ModelFile, Options).Fit(Calibration);
    }

    /// <summary>Fewer rows of each layer than the default, for speed.</summary>
    public static QuantizationOptions Options { get; } = new() { RowsPerLayer = 512 };

    public MLContext ML { get; } = new(seed: 1);

    public IDataView Calibration { get; }

    /// <summary>Twenty test images.</summary>
    public IDataView Images { get; }

    public WeightQuantizingTransformer Model { get; }

    /// <summary>What a model makes of the twenty test images.</summary>
    public float[][] Score(ITransformer model) => [.. model.Transform(Images).GetColumn<float[]>("logits")];

    public void Dispose() => Model.Dispose();
}
