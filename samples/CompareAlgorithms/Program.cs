using Microsoft.ML;
using MLNetQuant;
using MLNetQuant.Algorithms;
using Samples;

// One model, three bits, every algorithm: what each layer loses, and what that does to the accuracy.
var ml = new MLContext(seed: 1);
var calibration = ml.Data.LoadFromEnumerable(FashionMnist.Read("train-1024").Take(256));
var test = ml.Data.LoadFromEnumerable(FashionMnist.Read("test-2000"));
var copyPixels = ml.Transforms.CopyColumns("input", nameof(Image.Pixels));
IWeightQuantizer[] algorithms = [new Msq(), new PreprocessedMsq(), new Gpfq(), new Spfq(), new Optq(), new Qronos(), new Best()];

var reports = new Dictionary<string, QuantizationReport>();
Console.WriteLine("algorithm          bytes    top-1  seconds");
foreach (var algorithm in algorithms)
{
    var options = new QuantizationOptions { Bits = 3, Algorithm = algorithm, RowsPerLayer = 4096 };
    using var model = copyPixels.Append(ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, options)).Fit(calibration);
    var scores = ml.Data.CreateEnumerable<Scores>(model.Transform(test), reuseRowObject: true);
    var accuracy = scores.Average(s => s.Best == s.Label ? 1.0 : 0.0);
    var report = reports[algorithm.Name] = model.LastTransformer.Report;
    Console.WriteLine($"{algorithm.Name,-16} {report.QuantizedBytes,7:N0}  {accuracy,6:P2}  {report.Seconds,7:F2}");
}

// The error of a layer is measured on its own outputs, with the inputs that the quantized layers before it really send:
// it can only be compared within a row. Best names the winner of each layer, with its refinements.
Console.WriteLine($"\n{"error of layer",-16} {string.Join(' ', reports.Keys.Select(name => $"{name,16}"))}  winner");
for (var layer = 0; layer < reports["best"].Layers.Count; layer++)
{
    var errors = reports.Values.Select(r => $"{r.Layers[layer].RelativeError,16:P2}");
    var winner = reports["best"].Layers[layer];
    Console.WriteLine($"{winner.Name,-16} {string.Join(' ', errors)}  {winner.Algorithm}");
}
