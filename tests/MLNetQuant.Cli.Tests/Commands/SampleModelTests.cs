using System.Text.Json;
using MLNetQuant.Onnx;

namespace MLNetQuant.Cli.Tests.Commands;

/// <summary>The commands from end to end on the committed model and images.</summary>
public sealed class SampleModelTests : IDisposable
{
    private const int Rows = 64;
    private readonly TemporaryFolder _folder = new();

    public SampleModelTests() => Repository.WriteCalibrationImages(_folder["rows.npy"], Rows, 1, 28, 28);

    [Fact]
    public void Quantize_writes_a_smaller_model_and_a_report_with_every_field()
    {
        var result = Quantize("q.onnx", "--bits", "4", "--algorithm", "gpfq", "--json", _folder["r.json"]).ShouldSucceed();

        using var json = JsonDocument.Parse(File.ReadAllText(_folder["r.json"]));
        var report = json.RootElement;
        var layers = report.GetProperty("layers").EnumerateArray().ToList();
        Assert.Equal(14, layers.Count);
        foreach (var layer in layers)
        {
            Assert.NotEmpty(layer.GetProperty("name").GetString()!);
            Assert.Contains(layer.GetProperty("op").GetString(), (string[])["Conv", "Gemm"]);
            Assert.InRange(layer.GetProperty("inputs").GetInt32(), 1, 2000);
            Assert.InRange(layer.GetProperty("outputs").GetInt32(), 8, 1000);
            Assert.InRange(layer.GetProperty("weights").GetInt64(), 1, 195_000);
            Assert.Equal(4, layer.GetProperty("bits").GetInt32());
            Assert.Equal("channel", layer.GetProperty("granularity").GetString());
            Assert.Equal("gpfq", layer.GetProperty("algorithm").GetString());
            Assert.Equal("folded", layer.GetProperty("format").GetString());
            Assert.InRange(layer.GetProperty("relativeError").GetDouble(), 1e-6, 0.5);
            Assert.InRange(layer.GetProperty("seconds").GetDouble(), 1e-9, 600);
        }

        Assert.Equal(JsonValueKind.Array, report.GetProperty("skipped").ValueKind);
        Assert.Equal(new FileInfo(Repository.SampleModel).Length, report.GetProperty("floatBytes").GetInt64());
        Assert.Equal(new FileInfo(_folder["q.onnx"]).Length, report.GetProperty("quantizedBytes").GetInt64());
        Assert.InRange(report.GetProperty("quantizedBytes").GetInt64(), 1, report.GetProperty("floatBytes").GetInt64() * 3 / 10);
        // 194,656 convolution weights and 960 of the last layer; its 10 biases are none.
        Assert.Equal(layers.Sum(l => l.GetProperty("weights").GetInt64()), report.GetProperty("quantizedWeights").GetInt64());
        Assert.InRange(report.GetProperty("weights").GetInt64(), report.GetProperty("quantizedWeights").GetInt64(), 195_630);
        Assert.InRange(report.GetProperty("seconds").GetDouble(), 1e-3, 600);
        Assert.InRange(report.GetProperty("peakMemoryBytes").GetInt64(), 10_000_000, long.MaxValue);

        var name = layers[0].GetProperty("name").GetString()!;
        Assert.Contains(name, result.Output, StringComparison.Ordinal);
        Assert.Contains("787,536 → ", result.Output, StringComparison.Ordinal);
        Assert.Equal(["q.onnx", "r.json", "rows.npy"], _folder.Files);
    }

    [Fact]
    public void Quantize_writes_a_data_file_where_it_is_asked_for_and_never_over_one_of_the_model()
    {
        Quantize("q.onnx", "--algorithm", "msq", "--external-data", "always").ShouldSucceed();
        Assert.Equal(["q.onnx", "q.onnx.data", "rows.npy"], _folder.Files);
        Assert.Equal([_folder["q.onnx.data"]], OnnxModel.Load(_folder["q.onnx"]).DataFiles);
        Quantize("one.onnx", "--algorithm", "msq", "--external-data", "never").ShouldSucceed();
        Assert.Empty(OnnxModel.Load(_folder["one.onnx"]).DataFiles);
        CommandLine.Run("compare", _folder["one.onnx"], _folder["q.onnx"], "--data", _folder["rows.npy"]).ShouldSucceed();

        OnnxModel.Load(Repository.SampleModel).Save(_folder["f.onnx"], ExternalData.Always);
        File.Move(_folder["f.onnx"], _folder["float.onnx"]);
        var result = CommandLine.Run("quantize", _folder["float.onnx"], "-o", _folder["f.onnx"], "--calibration", _folder["rows.npy"], "--algorithm", "msq");
        Assert.NotEqual(0, result.Exit);
        Assert.Contains("f.onnx.data' is named twice", result.Error, StringComparison.Ordinal);

        var bytes = File.ReadAllBytes(_folder["f.onnx.data"]);
        foreach (var (model, report) in new[] { ("f.onnx.data", "r.json"), ("o.onnx", "f.onnx.data") })
        {
            var over = CommandLine.Run(
                "quantize", _folder["float.onnx"], "-o", _folder[model], "--json", _folder[report], "--calibration", _folder["rows.npy"], "--algorithm", "msq");
            Assert.Equal(2, over.Exit);
            Assert.Contains("f.onnx.data' is named twice", over.Error, StringComparison.Ordinal);
        }

        Assert.Equal(bytes, File.ReadAllBytes(_folder["f.onnx.data"]));
    }

    [Fact]
    public void Compare_measures_that_more_bits_and_a_better_algorithm_leave_less_error()
    {
        Quantize("msq4.onnx", "--bits", "4", "--algorithm", "msq", "--quiet").ShouldSucceed();
        Quantize("gpfq4.onnx", "--bits", "4", "--quiet").ShouldSucceed();
        Quantize("gpfq8.onnx", "--quiet").ShouldSucceed();

        var msq4 = OutputError("msq4.onnx");
        var gpfq4 = OutputError("gpfq4.onnx");
        var gpfq8 = OutputError("gpfq8.onnx");

        Assert.InRange(gpfq4, 1e-3, 0.7 * msq4);
        Assert.InRange(gpfq8, 1e-6, 0.2 * gpfq4);
        Assert.Equal(0, OutputError(Repository.SampleModel));
    }

    [Fact]
    public void Compare_measures_what_quantize_reported_on_the_same_rows()
    {
        Quantize("q.onnx", "--bits", "4", "--json", _folder["r.json"]).ShouldSucceed();

        using var json = JsonDocument.Parse(File.ReadAllText(_folder["r.json"]));
        var reported = json.RootElement.GetProperty("outputs")[0].GetProperty("relativeError").GetDouble();
        Assert.Equal(reported, OutputError("q.onnx"), reported * 1e-6);
    }

    [Fact]
    public void Layers_with_a_large_error_are_warnings_on_standard_error_unless_quiet()
    {
        string[] coarse = ["--bits", "1", "--algorithm", "msq", "--no-bias-correction", "--json", _folder["r.json"]];
        var result = Quantize("q.onnx", coarse);
        Assert.Equal(0, result.Exit);

        using var json = JsonDocument.Parse(File.ReadAllText(_folder["r.json"]));
        var warnings = json.RootElement.GetProperty("warnings").EnumerateArray().Select(w => w.GetString()!).ToArray();
        Assert.NotEmpty(warnings);
        Assert.Equal(string.Concat(warnings.Select(w => $"Warning: {w}{Environment.NewLine}")), result.Error);
        Quantize("q.onnx", [.. coarse, "--quiet"]).ShouldSucceed();
    }

    [Fact]
    public void Layers_above_the_largest_error_stay_float()
    {
        var result = Quantize(
            "q.onnx", "--bits", "3", "--algorithm", "msq", "--max-layer-error", "0.25", "--json", _folder["r.json"]).ShouldSucceed();

        using var json = JsonDocument.Parse(File.ReadAllText(_folder["r.json"]));
        var skipped = json.RootElement.GetProperty("skipped").EnumerateArray().ToList();
        Assert.NotEmpty(skipped);
        Assert.All(skipped, s => Assert.EndsWith("is above the limit of 0.25", s.GetProperty("reason").GetString(), StringComparison.Ordinal));
        var layers = json.RootElement.GetProperty("layers").EnumerateArray().ToList();
        Assert.Equal(14, layers.Count + skipped.Count);
        Assert.All(layers, l => Assert.InRange(l.GetProperty("relativeError").GetDouble(), 0, 0.25));
        Assert.Contains("is above the limit of 0.25", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_lists_layers_that_quantize_takes()
    {
        var result = CommandLine.Run("inspect", Repository.SampleModel, "--json", _folder["i.json"]).ShouldSucceed();
        Quantize("q.onnx", "--bits", "8", "--algorithm", "msq", "--json", _folder["r.json"]).ShouldSucceed();

        var inspected = LayerNames("i.json");
        Assert.Equal(14, inspected.Count);
        Assert.Equal(LayerNames("r.json"), inspected);
        Assert.All(inspected, name => Assert.Contains(name, result.Output, StringComparison.Ordinal));
        Assert.Contains("787,536 bytes, IR 7, operator set ai.onnx 13", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Include_and_exclude_choose_layers_by_name()
    {
        CommandLine.Run("inspect", Repository.SampleModel, "--json", _folder["i.json"]).ShouldSucceed();
        var names = LayerNames("i.json");
        var (first, second, last) = (Exactly(names[0]), Exactly(names[1]), Exactly(names[^1]));

        Quantize("some.onnx", "--include", first, "--include", second, "--exclude", second, "--json", _folder["some.json"]).ShouldSucceed();
        Quantize("rest.onnx", "--exclude", last, "--json", _folder["rest.json"]).ShouldSucceed();

        Assert.Equal([names[0]], LayerNames("some.json"));
        Assert.Equal(names.SkipLast(1), LayerNames("rest.json"));

        static string Exactly(string name) => $"^{System.Text.RegularExpressions.Regex.Escape(name)}$";
    }

    [Fact]
    public void The_float_format_keeps_size_and_computes_the_same()
    {
        Quantize("folded.onnx", "--bits", "4", "--quiet").ShouldSucceed();
        Quantize("float.onnx", "--bits", "4", "--format", "float", "--quiet").ShouldSucceed();

        Assert.InRange(new FileInfo(_folder["float.onnx"]).Length, 780_000, 800_000);
        Assert.InRange(OutputError("float.onnx", "folded.onnx"), 0, 1e-5);
    }

    [Fact]
    public void Grids_follow_the_scale_rule_the_zero_point_and_the_paper()
    {
        var mse = LayerErrors("--scale-rule", "mse");
        var absmax = LayerErrors("--scale-rule", "AbsMax");
        var everything = LayerErrors("--scale-rule", "percentile", "--percentile", "100");
        var percentile = LayerErrors("--scale-rule", "percentile", "--percentile", "97");
        var zeroPoint = LayerErrors("--scale-rule", "absmax", "--zero-point", "range");
        var paper = LayerErrors("--paper");

        Assert.Equal(mse, LayerErrors());
        Assert.Equal(absmax, everything); // nothing is clipped
        Assert.NotEqual(mse, absmax);
        Assert.NotEqual(absmax, percentile);
        Assert.NotEqual(mse, LayerErrors("--scale-rule", "weighted-mse"));
        Assert.NotEqual(absmax, LayerErrors("--scale-rule", "absmax", "--zero-point", "half-quadratic"));
        Assert.InRange(zeroPoint.Average(), 0.01, 0.95 * absmax.Average()); // weights lie lopsided around zero
        Assert.InRange(paper.Average(), 0.01, 0.95 * mse.Average()); // one level more

        double[] LayerErrors(params string[] options)
        {
            var result = Quantize("q.onnx", [.. options, "--bits", "3", "--algorithm", "msq", "--rows", "4", "--json", _folder["r.json"]]).ShouldSucceed();
            using var json = JsonDocument.Parse(File.ReadAllText(_folder["r.json"]));
            Assert.Equal(options is ["--paper"], json.RootElement.GetProperty("paperLevels").GetBoolean());
            Assert.Equal(options is ["--paper"], result.Output.Contains("Paper levels: 2^b + 1 values at b bits", StringComparison.Ordinal));
            return [.. json.RootElement.GetProperty("layers").EnumerateArray().Select(l => l.GetProperty("relativeError").GetDouble())];
        }
    }

    [Fact]
    public void Quiet_prints_nothing() => Assert.Equal("", Quantize("q.onnx", "--rows", "8", "--quiet").ShouldSucceed().Output);

    [Fact]
    public void Rows_limits_the_calibration_rows()
    {
        Quantize("q.onnx", "--rows", "8", "--json", _folder["r.json"]).ShouldSucceed();

        using var json = JsonDocument.Parse(File.ReadAllText(_folder["r.json"]));
        Assert.Equal(8, json.RootElement.GetProperty("calibrationRows").GetInt32());
    }

    [Fact]
    public void Seed_and_threads_decide_the_bytes_as_they_promise()
    {
        string[] spfq = ["--bits", "4", "--algorithm", "spfq", "--rows", "16", "--quiet"];
        Quantize("a.onnx", [.. spfq, "--seed", "7", "--threads", "1"]).ShouldSucceed();
        Quantize("b.onnx", [.. spfq, "--seed", "7", "--threads", "2"]).ShouldSucceed();
        Quantize("c.onnx", [.. spfq, "--seed", "8"]).ShouldSucceed();

        Assert.Equal(File.ReadAllBytes(_folder["a.onnx"]), File.ReadAllBytes(_folder["b.onnx"]));
        Assert.NotEqual(File.ReadAllBytes(_folder["a.onnx"]), File.ReadAllBytes(_folder["c.onnx"]));
    }

    [Fact]
    public void An_existing_output_is_replaced()
    {
        _folder.Write("q.onnx", [1, 2, 3]);
        Quantize("q.onnx", "--rows", "8", "--quiet").ShouldSucceed();

        Assert.Single(OnnxModel.Load(_folder["q.onnx"]).Outputs);
    }

    public void Dispose() => _folder.Dispose();

    private CommandResult Quantize(string output, params string[] options) => CommandLine.Run(
        ["quantize", Repository.SampleModel, "-o", _folder[output], "--calibration", _folder["rows.npy"], .. options]);

    private double OutputError(string model) => OutputError(Repository.SampleModel, model);

    private double OutputError(string reference, string model)
    {
        CommandLine.Run("compare", _folder[reference], _folder[model], "--data", _folder["rows.npy"], "--json", _folder["c.json"]).ShouldSucceed();
        using var json = JsonDocument.Parse(File.ReadAllText(_folder["c.json"]));
        Assert.Equal(Rows, json.RootElement.GetProperty("rows").GetInt32());
        var output = Assert.Single(json.RootElement.GetProperty("outputs").EnumerateArray());
        Assert.Equal("logits", output.GetProperty("name").GetString());
        return output.GetProperty("relativeError").GetDouble();
    }

    private List<string> LayerNames(string file)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(_folder[file]));
        return [.. json.RootElement.GetProperty("layers").EnumerateArray().Select(l => l.GetProperty("name").GetString()!)];
    }
}
