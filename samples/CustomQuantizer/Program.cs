using CustomQuantizer;
using Microsoft.ML;
using MLNetQuant;
using MLNetQuant.Algorithms;
using Samples;

// An algorithm of one's own is one method (ErrorDiffusion.cs). The walk over the model, the grids, the file and the
// report come with the library.
var ml = new MLContext(seed: 1);
var calibration = ml.Data.LoadFromEnumerable(FashionMnist.Read("train-1024").Take(256));
var test = ml.Data.LoadFromEnumerable(FashionMnist.Read("test-2000"));
var copyPixels = ml.Transforms.CopyColumns("input", nameof(Image.Pixels));

Console.WriteLine("algorithm          bytes    top-1  mean error of a layer");
foreach (var algorithm in new IWeightQuantizer[] { new Msq(), new ErrorDiffusion(), new Gpfq() })
{
    var options = new QuantizationOptions { Bits = 3, Algorithm = algorithm, RowsPerLayer = 4096 };
    using var model = copyPixels.Append(ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, options)).Fit(calibration);
    var scores = ml.Data.CreateEnumerable<Scores>(model.Transform(test), reuseRowObject: true);
    var accuracy = scores.Average(s => s.Best == s.Label ? 1.0 : 0.0);
    var report = model.LastTransformer.Report;
    Console.WriteLine($"{algorithm.Name,-16} {report.QuantizedBytes,7:N0}  {accuracy,6:P2}  {report.Layers.Average(l => l.RelativeError):P2}");
}
