using System.Diagnostics;
using Microsoft.ML;
using MLNetQuant;
using MLNetQuant.Algorithms;
using Samples;

// ML.NET runs an ONNX model once per row. Batched, it runs once for many rows: same columns, same values.
var ml = new MLContext(seed: 1);
var calibration = ml.Data.LoadFromEnumerable(FashionMnist.Read("train-1024").Take(256));
var rows = ml.Data.LoadFromEnumerable(FashionMnist.Read("test-2000"));
var copyPixels = ml.Transforms.CopyColumns("input", nameof(Image.Pixels));
var savedFile = Path.Combine(AppContext.BaseDirectory, "row-by-row.zip");

using var rowByRow = copyPixels.Append(ml.Transforms.ApplyOnnxModel(FashionMnist.ModelFile)).Fit(rows);
ml.Model.Save(rowByRow, rows.Schema, savedFile);

// Instead of ApplyOnnxModel; around any model that is there; and as a quantized model scores anyway.
using var batched = copyPixels.Append(ml.Transforms.ApplyOnnxModelBatched(FashionMnist.ModelFile)).Fit(rows);
using var loaded = ml.Model.Load(savedFile, out _).Batched(batchSize: 64);
var options = new QuantizationOptions { Algorithm = new Gpfq(), RowsPerLayer = 4096, Format = WeightFormat.Integer };
using var quantized = copyPixels.Append(ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, options)).Fit(calibration);

Console.WriteLine("2,000 images                  rows per second    top-1  largest difference");
var expected = Print("ApplyOnnxModel", rowByRow, null);
Print("ApplyOnnxModelBatched", batched, expected);
Print("loaded, Batched(64)", loaded, expected);
Print("QuantizeWeights, integer", quantized, expected);

Scores[] Print(string name, ITransformer model, Scores[]? reference)
{
    Score(model); // warms up
    var watch = Stopwatch.StartNew();
    var scores = Score(model);
    var perSecond = scores.Length / watch.Elapsed.TotalSeconds;
    var accuracy = scores.Average(s => s.Best == s.Label ? 1.0 : 0.0);
    var difference = (reference ?? scores).Zip(scores, (a, b) => a.Values.Zip(b.Values, (x, y) => Math.Abs(x - y)).Max()).Max();
    Console.WriteLine($"{name,-28} {perSecond,16:N0}  {accuracy,7:P2}  {difference,18:0.000000}");
    return scores;
}

Scores[] Score(ITransformer model) => [.. ml.Data.CreateEnumerable<Scores>(model.Transform(rows), reuseRowObject: false)];
