using BenchmarkDotNet.Attributes;
using MLNetQuant.Onnx.Numerics;

namespace MLNetQuant.Benchmarks;

/// <summary>H and C of a layer behind quantized ones, against products by ONNX Runtime of as many operations.</summary>
public class AccumulationBenchmark
{
    private const int Size = 2048;
    private const int Rows = 16384;
    private const double Limit = 1.25;

    private Layer _layer = null!;
    private OnnxRuntimeMatrixProduct _product = null!;
    private BareProduct _bare = null!;

    [GlobalSetup]
    public void Setup()
    {
        _layer = new(Size, Size, Layer.ChunkRows);
        _product = new();
        _bare = new(_layer.X, _layer.Quantized, Layer.ChunkRows, Size, Size);
    }

    [Benchmark]
    public void HAndC()
    {
        // H is symmetric, mN²; XW and X̃ᵀ(XW) are 2mNM each: 5mN², and one bare run is 2 · 4096 N².
        var bare = Effort.Of(() => _bare.Run(5 * Rows / (2 * Layer.ChunkRows)));
        var work = Effort.Of(() => _layer.Accumulate(crossGram: false, _product, Rows));
        Measurements.OfThisRun.Add($"H and C, N = M = {Size}, {Rows:N0} rows / products of as many operations", Limit, work, bare);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _product.Dispose();
        _bare.Dispose();
    }
}
