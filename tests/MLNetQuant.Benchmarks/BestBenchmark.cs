using BenchmarkDotNet.Attributes;
using MLNetQuant.Algorithms;
using MLNetQuant.Onnx.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Benchmarks;

/// <summary>All algorithms and their judge, against the accumulation of what they share.</summary>
public class BestBenchmark
{
    private const int Size = 2048;
    private const int Rows = 16384;

    private static readonly Dictionary<Algorithms.Effort, double?> Limits = new()
    {
        [Algorithms.Effort.Quick] = 2,
        [Algorithms.Effort.Normal] = 5,
        [Algorithms.Effort.Thorough] = null,
    };

    private Layer _layer = null!;
    private OnnxRuntimeMatrixProduct _product = null!;

    [Params(Algorithms.Effort.Quick, Algorithms.Effort.Normal, Algorithms.Effort.Thorough)]
    public Algorithms.Effort Search { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _layer = new(Size, Size, Rows / 2);
        _product = new();
        _layer.ComputeOutputs(_product);
    }

    [Benchmark]
    public void Best()
    {
        (LayerStatistics Fitted, LayerStatistics HeldBack) parts = (null!, null!);
        var accumulation = Effort.Of(() => parts = _layer.AccumulateParts(crossGram: true, _product, Rows));
        var best = new Best(new() { Effort = Search });
        var work = Effort.Of(() => best.Quantize(new(_layer.Weights, parts.Fitted) { HeldBack = parts.HeldBack }, Layer.Recipe, new() { Product = _product }));
        Measurements.OfThisRun.Add(
            $"best, {Search.ToString().ToLowerInvariant()}, N = M = {Size}, {Rows:N0} rows / their accumulation ¹", Limits[Search], work, accumulation);
    }

    [GlobalCleanup]
    public void Cleanup() => _product.Dispose();
}
