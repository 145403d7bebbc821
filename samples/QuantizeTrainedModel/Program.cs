using Microsoft.ML;
using MLNetQuant;
using Samples;

var ml = new MLContext(seed: 1);
var calibration = ml.Data.LoadFromEnumerable(FashionMnist.Read("train-1024").Take(256));
var test = ml.Data.LoadFromEnumerable(FashionMnist.Read("test-2000"));
var options = new QuantizationOptions { Bits = 4, RowsPerLayer = 4096 };
var trainedFile = Path.Combine(AppContext.BaseDirectory, "trained.zip");
var smallFile = Path.Combine(AppContext.BaseDirectory, "small.zip");

// What somebody trained and saved, here a featurizer and an ONNX step.
var training = ml.Transforms.CopyColumns("input", nameof(Image.Pixels)).Append(ml.Transforms.ApplyOnnxModel(FashionMnist.ModelFile));
ml.Model.Save(training.Fit(calibration), calibration.Schema, trainedFile);

// A trained model: load it, quantize every step that has weights, save it. Columns and schema stay as they are.
var trained = ml.Model.Load(trainedFile, out var schema);
var small = ml.Model.QuantizeWeights(trained, calibration, out var report, options);
using (small as IDisposable)
    ml.Model.Save(small, schema, smallFile);

foreach (var step in report.Quantized)
    Console.WriteLine($"step {step.Position}, {step.TypeName}: {step.FloatBytes:N0} bytes became {step.QuantizedBytes:N0} in {step.Report.Layers.Count} layers");
foreach (var step in report.LeftAlone)
    Console.WriteLine($"step {step.Position}, {step.TypeName}, was left alone: {step.Reason}");
Console.WriteLine("\nmodel            bytes    top-1");
Print("trained", trainedFile);
Print("quantized", smallFile);

// A model that is yet to be trained: the same, each time that the pipeline is fitted.
var pipeline = training.WithQuantizedWeights(ml, options);
var fitted = pipeline.Fit(calibration);
using (fitted as IDisposable)
    ml.Model.Save(fitted, calibration.Schema, smallFile);
Print("fitted", smallFile);

void Print(string name, string file)
{
    var scores = ml.Data.CreateEnumerable<Scores>(ml.Model.Load(file, out _).Transform(test), reuseRowObject: true);
    Console.WriteLine($"{name,-12} {new FileInfo(file).Length,9:N0}  {scores.Average(s => s.Best == s.Label ? 1.0 : 0.0),7:P2}");
}
