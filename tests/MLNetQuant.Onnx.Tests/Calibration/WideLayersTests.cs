using MLNetQuant.Algorithms;
using MLNetQuant.Onnx.Calibration;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Calibration;

/// <summary>Layers whose matrices of inputs × inputs do not fit the memory allowed.</summary>
[Collection("Temporary files")]
public class WideLayersTests
{
    private const long Budget = 256_000_000; // H alone would take 3.2 GB

    [Theory]
    [InlineData("gpfq")]
    [InlineData("msq")]
    public void A_wide_layer_has_the_codes_of_the_same_algorithm_with_memory_for_its_statistics(string algorithm)
    {
        // With so few rows the path is followed on rows in any case, so that both runs can be made.
        var (model, rows) = Problem();
        var options = new QuantizationOptions { Algorithm = algorithm == "msq" ? new Msq() : new Gpfq(), Bits = 4, BatchSize = 16 };
        var ample = ModelQuantizer.Quantize(model, rows, options with { MemoryBudget = long.MaxValue });
        var narrow = ModelQuantizer.Quantize(model, rows, options with { MemoryBudget = Budget });
        Assert.Equal(ample.Model.ToBytes(), narrow.Model.ToBytes());
        Assert.Equal(
            $"The statistics of layer 'wide' with 20000 inputs would take 6400 MB of the 268 MB that are allowed: {algorithm} worked on 64 rows alone, without what needs them (OPTQ, Qronos, descent). Allow more memory where that matters.",
            Assert.Single(narrow.Report.Warnings));
    }

    [Fact]
    public void Best_does_without_what_needs_statistics_and_an_estimate_counts_the_rows()
    {
        var (model, rows) = Problem();
        var options = new QuantizationOptions { Bits = 4, MemoryBudget = Budget };
        var report = ModelQuantizer.Quantize(model, rows, options).Report;
        Assert.DoesNotContain("descent", report.Layers[0].Algorithm, StringComparison.Ordinal);
        Assert.Contains("worked on 64 rows alone", Assert.Single(report.Warnings), StringComparison.Ordinal);
        Assert.InRange(report.Layers[0].RelativeError, 0, 0.1);
        Assert.InRange(ModelQuantizer.Estimate(model, rows, options).StatisticsBytes, 64 * 20_000 * 3 * sizeof(float), Budget);
    }

    [Fact]
    public void As_many_rows_are_kept_as_fit_and_small_budgets_leave_ordinary_layers_alone()
    {
        var (wide, ordinary) = (Layers(20_000), Layers(4096));
        var best = new QuantizationOptions();
        Assert.Equal(186, new WideLayers(wide, best with { MemoryBudget = Budget }, long.MaxValue).Rows(wide[0]));
        Assert.Equal(128, new WideLayers(wide, best with { MemoryBudget = 0 }, 1000).Rows(wide[0]));
        Assert.Equal(50, new WideLayers(wide, best with { MemoryBudget = 0, RowsPerLayer = 50 }, long.MaxValue).Rows(wide[0]));
        Assert.Null(new WideLayers(wide, best, long.MaxValue).Rows(wide[0]));
        Assert.Null(new WideLayers(ordinary, best with { MemoryBudget = 0 }, long.MaxValue).Rows(ordinary[0]));
        Assert.NotNull(new WideLayers(Layers(50_000), best, long.MaxValue).Warnings([]));
    }

    [Fact]
    public void Where_the_algorithm_needs_statistics_that_exceed_the_free_memory_it_is_refused_with_the_mend()
    {
        var layers = Layers(20_000);
        var optq = new QuantizationOptions { Algorithm = new Optq(), MemoryBudget = Budget };
        Assert.Null(new WideLayers(layers, optq, 6_400_000_000).Rows(layers[0]));
        Assert.Equal(
            "The statistics of layer 'wide' with 20000 inputs take 6400 MB, and 6399 MB of memory are free: choose an algorithm that works without them (best, gpfq, spfq or msq) instead of optq, exclude the layer, or give the process more memory.",
            Assert.Throws<QuantizationException>(() => new WideLayers(layers, optq, 6_399_999_999)).Message);
        Assert.Throws<QuantizationException>(() => new WideLayers(Layers(50_000), optq, long.MaxValue));
    }

    private static (OnnxModel Model, CalibrationData Rows) Problem()
    {
        var b = Model(20_000, 6);
        return (b.Build(), CalibrationRows.Of(("x", b.Rows(64, 20_000))));
    }

    private static IReadOnlyList<ILayer> Layers(int inputs) => LayerFinder.Find(new GraphIndex(Model(inputs, 1).Build().Proto)).Layers;

    private static GraphBuilder Model(int inputs, int outputs) =>
        new GraphBuilder().Input("x", $"N,{inputs}").Weight("W", inputs, outputs).Named("wide", "MatMul", "x,W", "y").Output("y");
}
