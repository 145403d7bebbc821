using Microsoft.ML;
using MLNetQuant;
using ModelBuilder;
using Samples;

// What Model Builder has written: FashionClassifier.mlnet, and code that trains it (training) and uses it (consumption).
var modelFile = Path.Combine(AppContext.BaseDirectory, "FashionClassifier.mlnet");

// The step that is added: FashionClassifier.quantization.cs.
var (floatFile, report) = FashionClassifier.Quantize(new QuantizationOptions { Rows = 256, RowsPerLayer = 4096 });
foreach (var step in report.Quantized)
    Console.WriteLine($"step {step.Position}, {step.TypeName}: {step.FloatBytes:N0} bytes became {step.QuantizedBytes:N0}");

// The generated code predicts with the smaller file; to compare, the same with the float file.
var ml = new MLContext();
using var floatEngine = ml.Model.CreatePredictionEngine<FashionClassifier.ModelInput, FashionClassifier.ModelOutput>(ml.Model.Load(floatFile, out _));
var images = FashionMnist.Read("test-2000");
var predictions = images.Select(image => new FashionClassifier.ModelInput { Pixels = image.Pixels })
    .Select(input => (Float: Class(floatEngine.Predict(input)), Small: Class(FashionClassifier.Predict(input)))).ToArray();

Console.WriteLine("\nmodel                           bytes    top-1");
Print(floatFile, predictions.Select(p => p.Float));
Print(modelFile, predictions.Select(p => p.Small));
Console.WriteLine($"the same prediction for {predictions.Count(p => p.Float == p.Small):N0} of {images.Count:N0} images");

void Print(string file, IEnumerable<int> classes) => Console.WriteLine(
    $"{Path.GetFileName(file),-28} {new FileInfo(file).Length,8:N0}  {classes.Zip(images, (c, i) => c == i.Label ? 1.0 : 0.0).Average(),7:P2}");

static int Class(FashionClassifier.ModelOutput output) => output.Score.AsSpan().IndexOf(output.Score.Max());
