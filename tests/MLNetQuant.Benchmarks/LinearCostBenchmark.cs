using BenchmarkDotNet.Attributes;
using MLNetQuant.Algorithms;
using MLNetQuant.Certificates;
using MLNetQuant.Onnx.Numerics;

namespace MLNetQuant.Benchmarks;

/// <summary>
/// GPFQ and SPFQ where rows are few, end to end: accumulation, rounding and measuring the error. The papers' cost,
/// linear in the weights.
/// </summary>
public class LinearCostBenchmark
{
    private const int Rows = 256;

    /// <summary>Runs before anything is timed, after which the code is compiled for good.</summary>
    private const int WarmUps = 100;

    private static readonly int[] Sizes = [512, 1024, 2048, 4096, 8192];

    private readonly OnnxRuntimeMatrixProduct _product = new();
    private Layer[] _layers = [];
    private int _iterations;

    [Params("gpfq", "spfq")]
    public string Algorithm { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        _layers = [.. Sizes.Select(size => new Layer(size, size, Rows))];
        foreach (var layer in _layers)
            layer.ComputeOutputs(_product);
        for (var i = 0; i < WarmUps; i++)
            EndToEnd(WeightQuantizers.Parse(Algorithm), _layers[0]);
    }

    /// <summary>All sizes in turn; small ones several times, so that each takes a while, the two largest less often.</summary>
    [Benchmark]
    public void AllSizes()
    {
        var algorithm = WeightQuantizers.Parse(Algorithm);
        foreach (var layer in _layers.Take(_layers.Length - _iterations++ switch { 0 => 0, 1 => 1, _ => 2 }))
        {
            var times = Math.Max(1, 2048 * 2048 / layer.Weights.Data.Length);
            var effort = Effort.Of(() =>
            {
                for (var i = 0; i < times; i++)
                    EndToEnd(algorithm, layer);
            });
            Measurements.OfThisRun.Add(Algorithm, layer.Weights.Data.Length, new(effort.Clock / times, effort.Processors / times));
        }
    }

    private void EndToEnd(IWeightQuantizer algorithm, Layer layer)
    {
        var statistics = layer.Accumulate(algorithm.NeedsCrossGram, _product, Rows);
        MeasuredError.Relative(statistics, algorithm.Quantize(new(layer.Weights, statistics), Layer.Recipe, new()).Dequantize());
    }

    [GlobalCleanup]
    public void Cleanup() => _product.Dispose();
}
