using Microsoft.ML;
using MLNetQuant.Algorithms;
using MLNetQuant.Tests.Data;

namespace MLNetQuant.Tests;

public sealed class ReportTests(QuantizedSample sample) : IClassFixture<QuantizedSample>, IDisposable
{
    private readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Bytes_are_those_of_the_files()
    {
        sample.Model.SaveOnnxModel(_folder["model.onnx"]);
        var report = sample.Model.Report;
        Assert.Equal(new FileInfo(FashionMnist.ModelFile).Length, report.FloatBytes);
        Assert.Equal(new FileInfo(_folder["model.onnx"]).Length, report.QuantizedBytes);
        Assert.InRange((double)report.QuantizedBytes / report.FloatBytes, 0.2, 0.30);
    }

    [Fact]
    public void Layers_say_what_was_done_to_them()
    {
        var report = sample.Model.Report;
        Assert.True(report.Layers.Count > 3);
        Assert.Equal(report.Layers.Count, report.Layers.Select(l => l.Name).Distinct().Count());
        Assert.Contains(report.Layers, l => l.Op == "Conv");
        Assert.All(report.Layers, l =>
        {
            Assert.Equal(8, l.Bits);
            Assert.Equal("channel", l.Granularity);
            Assert.Contains(l.Algorithm.Split('+', ' ')[0], WeightQuantizers.Names);
            Assert.NotNull(l.Certificate);
            Assert.Equal(l.RelativeError, l.Certificate.Measured, 1e-6);
            Assert.Equal("folded", l.Format);
            Assert.InRange(l.RelativeError, 1e-6, 0.03);
            Assert.InRange(l.CalibrationRows, 64, 512);
            Assert.True(l.Seconds >= 0);
        });
        Assert.Equal(report.QuantizedWeights, report.Layers.Sum(l => l.Weights));
        Assert.Equal(report.Weights, report.QuantizedWeights + report.Skipped.Sum(s => s.Weights));
        Assert.Equal(64, report.CalibrationRows);
    }

    [Fact]
    public void The_error_of_the_output_is_the_one_that_the_pipeline_shows()
    {
        var ml = sample.ML;
        using var original = ml.Transforms.ApplyOnnxModel(FashionMnist.ModelFile).Fit(sample.Calibration);
        var expected = Logits(original);
        var actual = Logits(sample.Model);
        var difference = expected.Zip(actual, (a, b) => (double)a - b).Sum(d => d * d);
        var output = Assert.Single(sample.Model.Report.Outputs);
        Assert.Equal("logits", output.Name);
        Assert.Equal(Math.Sqrt(difference / expected.Sum(a => (double)a * a)), output.RelativeError, 1e-5);
        Assert.Equal(expected.Zip(actual, (a, b) => Math.Abs((double)a - b)).Max(), output.MaxAbsoluteError, 1e-4);
        Assert.InRange(output.RelativeError, 1e-6, 0.03);

        float[] Logits(ITransformer model) => [.. ml.Data
            .CreateEnumerable<Scores>(model.Transform(sample.Calibration), reuseRowObject: false).SelectMany(s => s.Logits)];
    }

    [Fact]
    public void Fewer_bits_have_larger_errors()
    {
        using var four = Fit(QuantizedSample.Options with { Bits = 4 });
        Assert.All(
            sample.Model.Report.Layers.Zip(four.Report.Layers),
            p => Assert.True(p.Second.RelativeError > 3 * p.First.RelativeError, p.First.Name));
        Assert.True(four.Report.Outputs[0].RelativeError > sample.Model.Report.Outputs[0].RelativeError);
    }

    [Fact]
    public void Excluded_layers_keep_their_weights_and_say_why()
    {
        var first = sample.Model.Report.Layers[0];
        using var model = Fit(QuantizedSample.Options with { Exclude = [$"^{first.Name}$"] });
        Assert.Equal(sample.Model.Report.Layers.Skip(1).Select(l => l.Name), model.Report.Layers.Select(l => l.Name));
        var skipped = Assert.Single(model.Report.Skipped, s => s.Name == first.Name);
        Assert.Equal(first.Weights, skipped.Weights);
        Assert.Contains("exclude pattern", skipped.Reason, StringComparison.Ordinal);
        Assert.True(model.Report.QuantizedBytes > sample.Model.Report.QuantizedBytes);
    }

    [Fact]
    public void Only_included_layers_are_quantized()
    {
        var last = sample.Model.Report.Layers[^1];
        using var model = Fit(QuantizedSample.Options with { Include = [$"^{last.Name}$"] });
        Assert.Equal(last.Name, Assert.Single(model.Report.Layers).Name);
        Assert.Equal(sample.Model.Report.Layers.Count - 1, model.Report.Skipped.Count(s => s.Reason.Contains("include", StringComparison.Ordinal)));
    }

    private WeightQuantizingTransformer Fit(QuantizationOptions options) =>
        sample.ML.Transforms.QuantizeWeights(FashionMnist.ModelFile, options).Fit(sample.Calibration);
}
