using System.Diagnostics;
using Microsoft.ML;
using MLNetQuant;
using MLNetQuant.Algorithms;
using Samples;

var ml = new MLContext(seed: 1);
var floatModel = FashionMnist.ModelFile;
var calibration = ml.Data.LoadFromEnumerable(FashionMnist.Read("train-1024"));
var test = ml.Data.LoadFromEnumerable(FashionMnist.Read("test-2000"));
var savedModel = Path.Combine(AppContext.BaseDirectory, "fmnist_cnn.zip");
var copyPixels = ml.Transforms.CopyColumns("input", nameof(Image.Pixels));

Console.WriteLine("model            bytes    top-1   fit s  score s");
var original = copyPixels.Append(ml.Transforms.ApplyOnnxModel(floatModel)).Fit(calibration);
Score(original); // warms up
Print("float", new FileInfo(floatModel).Length, 0, original);

foreach (var bits in new[] { 8, 4 })
{
    foreach (var algorithm in new IWeightQuantizer[] { new Msq(), new Gpfq(), new Spfq(), new Best() })
    {
        // The one step that is added: calibrate on the rows, quantize, score with the result.
        var watch = Stopwatch.StartNew();
        var pipeline = copyPixels.Append(ml.Transforms.QuantizeWeights(
            floatModel, new QuantizationOptions { Bits = bits, Algorithm = algorithm }));
        using var model = pipeline.Fit(calibration);
        Print($"{bits} bits {algorithm.Name}", model.LastTransformer.Report.QuantizedBytes, watch.Elapsed.TotalSeconds, model);
        if (bits == 8 && algorithm is Best)
            ml.Model.Save(model, calibration.Schema, savedModel);
    }
}

// The saved model is plain ML.NET: no reference to MLNetQuant is needed to load it.
var loaded = ml.Model.Load(savedModel, out _);
using var engine = ml.Model.CreatePredictionEngine<Image, Scores>(loaded);
var image = FashionMnist.Read("test-2000")[0];
Console.WriteLine($"\nloaded again: the first test image is of class {image.Label}, predicted {engine.Predict(image).Best}");

void Print(string name, long bytes, double fitSeconds, ITransformer model)
{
    var (accuracy, seconds) = Score(model);
    Console.WriteLine($"{name,-12} {bytes,9:N0}  {accuracy,6:P2}  {fitSeconds,6:F2}  {seconds,7:F2}");
}

(double Accuracy, double Seconds) Score(ITransformer model)
{
    var watch = Stopwatch.StartNew();
    var scores = ml.Data.CreateEnumerable<Scores>(model.Transform(test), reuseRowObject: true);
    return (scores.Average(s => s.Best == s.Label ? 1.0 : 0.0), watch.Elapsed.TotalSeconds);
}
