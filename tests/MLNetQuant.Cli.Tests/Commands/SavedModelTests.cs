using System.IO.Compression;
using System.Text.Json;
using MLNetQuant.Cli.Tests.Data;
using MLNetQuant.Onnx;
using MLNetQuant.Onnx.Tests.Saved;

namespace MLNetQuant.Cli.Tests.Commands;

/// <summary>The commands on models as ML.NET and Model Builder save them.</summary>
public sealed class SavedModelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public SavedModelTests() => Repository.WriteCalibrationImages(_folder["rows.npy"], 32, 1, 28, 28);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("model.zip", "q.zip")]
    [InlineData("Model.mlnet", "q.mlnet")]
    public void The_ONNX_step_is_quantized_as_the_ONNX_file_would_be(string model, string output)
    {
        _folder.Write(model, OneStep());
        var result = Quantize(model, output).ShouldSucceed();
        CommandLine.Run("quantize", Repository.SampleModel, "-o", _folder["q.onnx"], "--calibration", _folder["rows.npy"], "--algorithm", "msq").ShouldSucceed();

        var saved = SavedModel.Load(_folder[output]);
        Assert.Equal(File.ReadAllBytes(_folder["q.onnx"]), saved.ReadOnnx(saved.Steps[1]).Model.ToBytes());
        Assert.Equal(
            Entries(model).Where(e => !e.Name.EndsWith("OnnxModel", StringComparison.Ordinal)),
            Entries(output).Where(e => !e.Name.EndsWith("OnnxModel", StringComparison.Ordinal)));
        Assert.InRange(new FileInfo(_folder[output]).Length, 1, 0.30 * new FileInfo(_folder[model]).Length);
        Assert.Contains("step Transform_001 quantized", result.Output, StringComparison.Ordinal);
        Assert.Contains("linear models need the rows that reach them", result.Output, StringComparison.Ordinal);
        Assert.Equal(new[] { model, output, "q.onnx", "rows.npy" }.Order(), _folder.Files);
    }

    [Fact]
    public void Inspect_lists_steps_and_the_layers_of_their_models()
    {
        _folder.Write("model.zip", OneStep());
        var result = CommandLine.Run("inspect", _folder["model.zip"], "--json", _folder["i.json"]).ShouldSucceed();
        Assert.Contains("a model that ML.NET saved", result.Output, StringComparison.Ordinal);
        Assert.Contains("LinearBinaryModelParameters", result.Output, StringComparison.Ordinal);
        Assert.Contains("14 layers", result.Output, StringComparison.Ordinal);

        using var json = JsonDocument.Parse(File.ReadAllText(_folder["i.json"]));
        var steps = json.RootElement.GetProperty("steps").EnumerateArray().ToList();
        Assert.Equal(["WithoutParameters", "Onnx", "Linear", "Other"], steps.Select(s => s.GetProperty("kind").GetString()));
        Assert.Equal(14, steps[1].GetProperty("onnx").GetProperty("layers").GetArrayLength());
        Assert.Equal(10, steps[2].GetProperty("weights").GetInt64());
        Assert.StartsWith("decision trees", steps[3].GetProperty("leftAlone").GetString(), StringComparison.Ordinal);
        Assert.Equal(new FileInfo(_folder["model.zip"]).Length, json.RootElement.GetProperty("bytes").GetInt64());
    }

    [Fact]
    public void Of_several_ONNX_steps_one_is_named_and_one_is_quantized_after_the_other()
    {
        var sample = File.ReadAllBytes(Repository.SampleModel);
        _folder.Write("two.zip", new ZipWriter()
            .Chain("TransformerChain", 2)
            .Onnx("TransformerChain/Transform_000", sample, ["input"], ["logits"])
            .Onnx("TransformerChain/Transform_001", sample, ["input"], ["logits"])
            .ToBytes());
        Quantize("two.zip", "q.zip").ShouldFail(
            1, $"The model '{_folder["two.zip"]}' has 2 ONNX steps ('Transform_000', 'Transform_001'), and the data file holds rows for one: say which with --step, and quantize one after the other.");
        Quantize("two.zip", "q.zip", "--step", "Transform_7").ShouldFail(
            1, $"The model '{_folder["two.zip"]}' has no ONNX step 'Transform_7' (its ONNX steps: 'Transform_000', 'Transform_001'): name one as inspect lists it.");
        Quantize("two.zip", "one.zip", "--step", "Transform_001").ShouldSucceed();
        var one = SavedModel.Load(_folder["one.zip"]);
        Assert.Equal([false, true], one.Steps.Select(s => one.ReadOnnx(s).Model.IsQuantized));

        // The other one is the only float one now.
        Quantize("one.zip", "both.zip").ShouldSucceed();
        Quantize("one.zip", "q.zip", "--step", "Transform_001").ShouldFail(
            1, $"The step 'Transform_001' of the model '{_folder["one.zip"]}' is quantized already: give the float model.");
        Quantize("both.zip", "q.zip").ShouldFail(
            1, $"The model '{_folder["both.zip"]}' has no ONNX step to quantize (Transform_000, OnnxTransformer: it is quantized already; Transform_001, OnnxTransformer: it is quantized already): give a model with a float ONNX step.");
    }

    [Fact]
    public void What_does_not_fit_a_saved_model_is_refused()
    {
        _folder.Write("model.zip", OneStep());
        Quantize("model.zip", "q.zip", "--external-data", "always").ShouldFail(2, "--external-data is always, and a model that ML.NET saved is one file: leave it out.");
        Quantize("model.zip", "model.zip").ShouldFail(2, $"The file '{_folder["model.zip"]}' is named twice, and writing it would destroy the other: give another output path.");
        CommandLine.Run("quantize", Repository.SampleModel, "-o", _folder["q.onnx"], "--calibration", _folder["rows.npy"], "--step", "Transform_000")
            .ShouldFail(1, $"--step is 'Transform_000', and the model '{Repository.SampleModel}' is no saved ML.NET model: leave it out.");
        _folder.Write("cut.zip", OneStep()[..^100]);
        Quantize("cut.zip", "q.zip").ShouldFail(1, $"The model '{_folder["cut.zip"]}' is truncated or not a zip: give a complete model that ML.NET saved.");
        _folder.Write("trees.zip", new ZipWriter().Key("TransformerChain", "TreeEnseFeat", _ => { }).ToBytes());
        Quantize("trees.zip", "q.zip").ShouldFail(
            1, $"The model '{_folder["trees.zip"]}' has no ONNX step to quantize (TransformerChain, TreeEnsembleFeaturizationTransformer: decision trees compare and add, and have no weights that a product takes): give a model with a float ONNX step.");
    }

    [Fact]
    public void A_dry_run_estimates_the_ONNX_step()
    {
        _folder.Write("model.zip", OneStep());
        var result = CommandLine.Run("quantize", _folder["model.zip"], "--calibration", _folder["rows.npy"], "--algorithm", "msq", "--dry-run").ShouldSucceed();
        Assert.Contains("14 layers", result.Output, StringComparison.Ordinal);
        Assert.Equal(["model.zip", "rows.npy"], _folder.Files);
    }

    [Theory]
    [InlineData("model.zip", "q.zip")]
    [InlineData("Model.mlnet", "q.mlnet")]
    public void Saved_models_are_compared_step_by_step(string model, string output)
    {
        _folder.Write(model, OneStep());
        Quantize(model, output).ShouldSucceed();
        CommandLine.Run("quantize", Repository.SampleModel, "-o", _folder["q.onnx"], "--calibration", _folder["rows.npy"], "--algorithm", "msq").ShouldSucceed();
        CommandLine.Run("compare", Repository.SampleModel, _folder["q.onnx"], "--data", _folder["rows.npy"], "--json", _folder["onnx.json"]).ShouldSucceed();
        WriteNpz("rows.npz", ("input", File.ReadAllBytes(_folder["rows.npy"])), ("logits", NpyBytes.Of("<f4", "2, 10", new byte[80])));
        var result = CommandLine.Run("compare", _folder[model], _folder[output], "--data", _folder["rows.npz"], "--json", _folder["zip.json"]).ShouldSucceed();
        Assert.Contains("step Transform_001, OnnxTransformer", result.Output, StringComparison.Ordinal);
        Assert.Contains("step Transform_002, LinearBinaryModelParameters", result.Output, StringComparison.Ordinal);

        using var onnx = JsonDocument.Parse(File.ReadAllText(_folder["onnx.json"]));
        using var zip = JsonDocument.Parse(File.ReadAllText(_folder["zip.json"]));
        var steps = zip.RootElement.GetProperty("steps");
        Assert.Equal(2, steps.GetArrayLength());
        Assert.True(JsonElement.DeepEquals(onnx.RootElement, steps[0].GetProperty("comparison")));
        Assert.Equal(2, steps[1].GetProperty("comparison").GetProperty("rows").GetInt32());
        Assert.Equal(0, steps[1].GetProperty("comparison").GetProperty("outputs")[0].GetProperty("relativeError").GetDouble());
    }

    [Fact]
    public void Comparing_tells_which_steps_it_has_no_rows_for_and_refuses_what_it_cannot_compare()
    {
        _folder.Write("model.zip", OneStep());
        WriteNpz("rows.npz", ("input", File.ReadAllBytes(_folder["rows.npy"])));
        Assert.Contains(
            "step Transform_002, LinearBinaryModelParameters: not compared, the data have no rows for 'logits'",
            Compare("model.zip", "model.zip", "rows.npz").ShouldSucceed().Output,
            StringComparison.Ordinal);
        Compare("model.zip", "model.zip", "rows.npy").ShouldFail(
            1, $"The data file '{_folder["rows.npy"]}' is a single array and the model '{_folder["model.zip"]}' has 2 inputs (input, logits): give an .npz with an array for each.");
        WriteNpz("labels.npz", ("labels", NpyBytes.Of("<f4", "1, 1", new byte[4])));
        Compare("model.zip", "model.zip", "labels.npz").ShouldFail(
            1, $"The data file '{_folder["labels.npz"]}' has no array 'input' (it has 'labels'): name its arrays as the model's inputs.");
        CommandLine.Run("compare", _folder["model.zip"], Repository.SampleModel, "--data", _folder["rows.npy"]).ShouldFail(
            1, $"Of '{_folder["model.zip"]}' and '{Repository.SampleModel}' one is a model that ML.NET saved and one is not: give two ONNX files, or two saved models.");
        _folder.Write("trees.zip", new ZipWriter().Key("TransformerChain", "TreeEnseFeat", _ => { }).ToBytes());
        Compare("trees.zip", "trees.zip", "rows.npz").ShouldFail(
            1, $"The model '{_folder["trees.zip"]}' has no ONNX step and no linear model to compare (TransformerChain, TreeEnsembleFeaturizationTransformer): give two forms of a model that has one.");
        _folder.Write("other.zip", new ZipWriter().Onnx("TransformerChain", File.ReadAllBytes(Repository.SampleModel), ["input"], ["logits"]).ToBytes());
        Compare("model.zip", "other.zip", "rows.npz").ShouldFail(
            1, $"The models '{_folder["model.zip"]}' and '{_folder["other.zip"]}' have other steps (TransformerChain/Transform_000, CopyTransform in one, TransformerChain, OnnxTransformer in the other): compare two forms of one model.");
        Compare("missing.zip", "model.zip", "rows.npz").ShouldFail(1, $"The model file '{_folder["missing.zip"]}' does not exist: check the path.");
    }

    /// <summary>A chain of a copying step, the sample model, a linear model and trees.</summary>
    private static byte[] OneStep() => new ZipWriter()
        .Chain("TransformerChain", 4)
        .Key("TransformerChain/Transform_000", "CopyTransform", d => d.Write(1))
        .Onnx("TransformerChain/Transform_001", File.ReadAllBytes(Repository.SampleModel), ["input"], ["logits"])
        .Prediction("TransformerChain/Transform_002", "BinaryPredXfer", "logits")
        .Key("TransformerChain/Transform_002/Model", "Linear2CExec", d =>
        {
            d.Write(sizeof(float));
            d.Write(0.5f);
            d.Write(10);
            d.Write(0);
            d.Write(10);
            for (var i = 0; i < 10; i++)
                d.Write(i / 10f);
        })
        .Key("TransformerChain/Transform_003", "TreeEnseFeat", d => d.Write(1))
        .ToBytes();

    private CommandResult Quantize(string model, string output, params string[] more) => CommandLine.Run(
        ["quantize", _folder[model], "-o", _folder[output], "--calibration", _folder["rows.npy"], "--algorithm", "msq", .. more]);

    private CommandResult Compare(string reference, string model, string rows) =>
        CommandLine.Run("compare", _folder[reference], _folder[model], "--data", _folder[rows]);

    private void WriteNpz(string file, params (string Name, byte[] Npy)[] arrays)
    {
        using var archive = ZipFile.Open(_folder[file], ZipArchiveMode.Create);
        foreach (var (name, npy) in arrays)
        {
            using var entry = archive.CreateEntry($"{name}.npy").Open();
            entry.Write(npy);
        }
    }

    private List<(string Name, string Bytes)> Entries(string zip)
    {
        using var archive = ZipFile.OpenRead(_folder[zip]);
        return [.. archive.Entries.Select(e =>
        {
            using var stream = e.Open();
            using var bytes = new MemoryStream();
            stream.CopyTo(bytes);
            return (e.FullName, Convert.ToBase64String(bytes.ToArray()));
        })];
    }
}
