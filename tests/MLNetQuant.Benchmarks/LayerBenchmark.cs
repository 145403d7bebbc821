using BenchmarkDotNet.Attributes;
using MLNetQuant.Algorithms;
using MLNetQuant.Certificates;
using MLNetQuant.Onnx.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Benchmarks;

/// <summary>A whole layer behind quantized ones, accumulation and rounding, against one product of 2mNM operations. XW is given, as in a
/// calibration, whose float stream computes it.</summary>
public class LayerBenchmark
{
    private const int Size = 2048;
    private const int Rows = 8192;

    private static readonly Dictionary<string, double> Limits = new() { ["gpfq"] = 2.8, ["spfq"] = 2.8, ["optq"] = 3.5, ["qronos"] = 3.5 };

    private Layer _layer = null!;
    private OnnxRuntimeMatrixProduct _product = null!;
    private BareProduct _bare = null!;

    public static IEnumerable<string> Algorithms => WeightQuantizers.Names.Where(Limits.ContainsKey);

    [ParamsSource(nameof(Algorithms))]
    public string Algorithm { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        _layer = new(Size, Size, Rows);
        _product = new();
        _layer.ComputeOutputs(_product);
        _bare = new(_layer.X, _layer.Quantized, Rows, Size, Size);
    }

    [Benchmark]
    public void WholeLayer()
    {
        var algorithm = WeightQuantizers.Parse(Algorithm);
        LayerStatistics statistics = null!;
        QuantizedWeights quantized = null!;
        var bare = Effort.Of(() => _bare.Run(1));
        var accumulation = Effort.Of(() => statistics = _layer.Accumulate(algorithm.NeedsCrossGram, _product, Rows));
        var rounding = Effort.Of(() => quantized = algorithm.Quantize(new(_layer.Weights, statistics), Layer.Recipe, new() { Product = _product }));
        var measuring = Effort.Of(() => MeasuredError.Relative(statistics, quantized.Dequantize()));
        var both = new Effort(accumulation.Clock + rounding.Clock, accumulation.Processors + rounding.Processors);
        var what = $"{Algorithm}, N = M = {Size}, {Rows:N0} rows, 4 bits";
        Measurements.OfThisRun.Add($"{what} / one product ¹", Limits[Algorithm], both, bare);
        Measurements.OfThisRun.Add("– of it accumulation (" + Algorithm + ")", null, accumulation, bare);
        Measurements.OfThisRun.Add("– of it rounding (" + Algorithm + ")", null, rounding, bare);
        Measurements.OfThisRun.Add("– on top, measuring the error (" + Algorithm + ")", null, measuring, bare);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _product.Dispose();
        _bare.Dispose();
    }
}
