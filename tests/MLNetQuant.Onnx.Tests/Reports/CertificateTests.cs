using System.Text.Json;
using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Reports;

public class CertificateTests
{
    [Theory]
    [InlineData("msq", "msq", 1)]
    [InlineData("gpfq", "gpfq", 1)]
    [InlineData("optq", "optq", 1)]
    [InlineData("spfq", "spfq", 0.99)]
    public void Every_layer_carries_what_its_algorithm_promises_and_the_error_stays_below(string algorithm, string kind, double probability)
    {
        var b = SmallNets.FourLayers();
        var report = ModelQuantizer.Quantize(
            b.Build(),
            CalibrationRows.Of(("x", b.Rows(20, 3, 8, 8))),
            new() { Bits = 7, ScaleRule = ScaleRule.AbsMax, Algorithm = WeightQuantizers.Parse(algorithm) }).Report;
        Assert.Equal(4, report.Layers.Count);
        Assert.All(report.Layers, layer =>
        {
            var certificate = layer.Certificate!;
            Assert.Equal(kind, certificate.Kind);
            Assert.Equal(layer.RelativeError, certificate.Measured, 1e-4);
            Assert.Equal(probability, certificate.Probability, 1e-9);
            Assert.True(!certificate.Holds || certificate.Measured <= certificate.Bound);
            Assert.NotEmpty(certificate.Reason);
            Assert.True(layer.Clipped == 0 || !certificate.Holds);
        });
        Assert.Contains(report.Layers, layer => layer.Certificate!.Holds);

        var json = JsonDocument.Parse(report.ToJson()).RootElement.GetProperty("layers")[0].GetProperty("certificate");
        Assert.Equal(
            ["kind", "bound", "measured", "probability", "holds", "reason"], json.EnumerateObject().Select(p => p.Name));
    }

    [Fact]
    public void The_best_of_each_layer_is_named_with_its_refinements()
    {
        var b = SmallNets.FourLayers();
        var report = ModelQuantizer.Quantize(b.Build(), CalibrationRows.Of(("x", b.Rows(20, 3, 8, 8))), new() { Bits = 3 }).Report;
        Assert.All(report.Layers, layer => Assert.Matches(@"^(msq|gpfq|optq|qronos)(\+steps)?(\+zero points)?(\+descent)?( and \d+ others)?$", layer.Algorithm));
        var quick = ModelQuantizer.Quantize(
            b.Build(), CalibrationRows.Of(("x", b.Rows(20, 3, 8, 8))), new() { Bits = 3, Algorithm = new Best(new() { Effort = Effort.Quick }) }).Report;
        Assert.All(quick.Layers, layer => Assert.Matches(@"^(msq|gpfq|optq|qronos)(\+zero points)?( and \d+ others)?$", layer.Algorithm));
    }
}
