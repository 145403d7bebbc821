using System.Globalization;
using System.Text.Json;
using MLNetQuant.Cli.Tests;
using MLNetQuant.Onnx;
using MLNetQuant.Packages.Tests;

namespace MLNetQuant.Samples.Tests;

/// <summary>Each sample runs as it was built, and prints what its readers are promised.</summary>
public sealed class SampleTests
{
    [Fact]
    public async Task QuickStart_is_four_times_smaller_as_accurate_and_predicts_once_more_when_loaded_again()
    {
        var lines = await Run("QuickStart");
        var (original, small) = (Numbers(Line(lines, "float ")), Numbers(Line(lines, "8 bits best ")));
        Assert.InRange(small[0], 1, original[0] / 3.5);
        Assert.InRange(small[1], original[1] - 0.5, 100);
        Assert.InRange(Numbers(Line(lines, "4 bits best "))[0], 1, original[0] / 6);
        Assert.Equal("loaded again: the first test image is of class 9, predicted 9", lines[^1]);
    }

    [Fact]
    public async Task CompareAlgorithms_shows_that_following_the_path_beats_rounding()
    {
        var lines = await Run("CompareAlgorithms");
        var rounding = Numbers(Line(lines, "msq "));
        foreach (var name in new[] { "gpfq", "spfq", "optq", "qronos", "best" })
            Assert.InRange(Numbers(Line(lines, name + " "))[1], rounding[1] + 1, 100);
        Assert.Equal(14, lines.Count(l => l.StartsWith('/'))); // layers
    }

    [Fact]
    public async Task TextClassification_answers_the_same_with_two_bits()
    {
        var lines = await Run("TextClassification");
        var (original, small) = (Numbers(Line(lines, "float ")), Numbers(Line(lines, "2 bits best ")));
        Assert.InRange(small[0], 1, original[0] / 5);
        Assert.InRange(small[1], original[1] - 0.5, 100);
        Assert.EndsWith(": set an alarm", Line(lines, "  \"could you"), StringComparison.Ordinal);
        Assert.EndsWith(": stop playing", Line(lines, "  \"do not play"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task QuantizeTrainedModel_writes_models_of_the_same_accuracy_a_sixth_as_large()
    {
        var lines = await Run("QuantizeTrainedModel");
        var trained = Numbers(Line(lines, "trained "));
        foreach (var name in new[] { "quantized ", "fitted " })
        {
            var small = Numbers(Line(lines, name));
            Assert.InRange(small[0], 1, trained[0] / 6);
            Assert.InRange(small[1], trained[1] - 0.5, 100);
        }

        Assert.StartsWith("step 2, OnnxTransformer: ", lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task BatchedScoring_gives_the_same_values_and_the_quantized_model_nearly_the_same_answers()
    {
        var lines = await Run("BatchedScoring");
        var alone = Numbers(Line(lines, "ApplyOnnxModel "));
        foreach (var name in new[] { "ApplyOnnxModelBatched ", "loaded, " })
        {
            var batched = Numbers(Line(lines, name));
            Assert.Equal(alone[^2], batched[^2]);
            Assert.InRange(batched[^1], 0, 1e-5);
        }

        Assert.InRange(Numbers(Line(lines, "QuantizeWeights, "))[^2], alone[^2] - 0.5, 100);
    }

    [Fact]
    public async Task ModelBuilder_predicts_the_same_with_a_smaller_file_and_untouched_code_each_time_that_it_runs()
    {
        var project = Path.Combine(Repository.Root, "samples", "ModelBuilder");
        var model = Path.Combine(project, "FashionClassifier.mlnet");
        var (smaller, original) = (Built("ModelBuilder", "FashionClassifier.mlnet"), Built("ModelBuilder", "FashionClassifier.float.mlnet"));

        // As after a build from scratch; the built file may be a hard link to the project's.
        File.Delete(original);
        File.Delete(smaller);
        File.Copy(model, smaller);
        var once = await Run("ModelBuilder");
        var bytes = OnnxOf(smaller);

        // The second call finds the smaller model in the place of the float one.
        var again = await Run("ModelBuilder");
        Assert.Equal(once, again);
        Assert.Equal(bytes, OnnxOf(smaller));
        Assert.Equal(File.ReadAllBytes(model), File.ReadAllBytes(original));

        var (before, after) = (Numbers(Line(again, "FashionClassifier.float.mlnet")), Numbers(Line(again, "FashionClassifier.mlnet")));
        Assert.InRange(after[0], 1, before[0] / 3.5);
        Assert.InRange(after[1], before[1] - 0.5, 100);
        var words = again[^1].Split(' ');
        Assert.InRange(int.Parse(words[4], NumberStyles.AllowThousands, CultureInfo.InvariantCulture), 1980, 2000);
        foreach (var generated in new[] { "consumption", "training" })
            Assert.DoesNotContain("antiz", File.ReadAllText(Path.Combine(project, $"FashionClassifier.{generated}.cs")), StringComparison.Ordinal);
    }

    [Fact]
    public void ModelBuilder_has_the_files_that_Model_Builder_writes_and_its_model_is_what_the_training_code_saves()
    {
        var project = Path.Combine(Repository.Root, "samples", "ModelBuilder");
        Assert.Equal(
            ["consumption.cs", "mbconfig", "mlnet", "quantization.cs", "training.cs"],
            Directory.GetFiles(project, "FashionClassifier.*").Select(f => Path.GetFileName(f)["FashionClassifier.".Length..]).Order(StringComparer.Ordinal));
        Assert.InRange(new FileInfo(Path.Combine(project, "FashionClassifier.mlnet")).Length, 1, 1_000_000);
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(Repository.Root, "samples", "data", "fmnist_cnn.onnx")),
            OnnxOf(Path.Combine(project, "FashionClassifier.mlnet")));
        using var config = JsonDocument.Parse(File.ReadAllText(Path.Combine(project, "FashionClassifier.mbconfig")));
        Assert.Equal("ImageClassification", config.RootElement.GetProperty("Scenario").GetString());
        Assert.Equal("Azure", config.RootElement.GetProperty("Environment").GetProperty("Type").GetString());
    }

    [Fact]
    public async Task CustomQuantizer_is_better_than_rounding()
    {
        var lines = await Run("CustomQuantizer");
        var (own, rounding) = (Numbers(Line(lines, "error-diffusion")), Numbers(Line(lines, "msq ")));
        Assert.InRange(own[1], rounding[1], 100);
        Assert.InRange(own[2], 0, rounding[2]);
    }

    [Fact]
    public void Every_sample_is_run_here_and_listed_in_the_readme()
    {
        var samples = new DirectoryInfo(Path.Combine(Repository.Root, "samples")).EnumerateFiles("*.csproj", SearchOption.AllDirectories)
            .Select(f => Path.GetFileNameWithoutExtension(f.Name)).Order().ToArray();
        var tests = typeof(SampleTests).GetMethods().Select(m => m.Name.Split('_')[0]).ToHashSet();
        var readme = File.ReadAllText(Path.Combine(Repository.Root, "samples", "README.md"));
        Assert.All(samples, s => Assert.Contains(s, tests));
        Assert.All(samples, s => Assert.Contains($"]({s}/", readme, StringComparison.Ordinal));
    }

    /// <summary>The lines that a sample prints, those that are empty left out.</summary>
    private static async Task<string[]> Run(string sample)
    {
        var printed = await Dotnet.Run(Path.GetTempPath(), Built(sample, $"{sample}.dll"));
        return printed.Split('\n').Select(l => l.TrimEnd()).Where(l => l.Length > 0).ToArray();
    }

    /// <summary>A file beside a sample's program: bin/CONFIGURATION/FRAMEWORK, as these tests are built.</summary>
    private static string Built(string sample, string file)
    {
        var framework = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.Combine(Repository.Root, "samples", sample, "bin", framework.Parent!.Name, framework.Name, file);
    }

    /// <summary>The ONNX model in a model that ML.NET saved.</summary>
    private static byte[] OnnxOf(string path)
    {
        var saved = SavedModel.Load(path);
        return saved.ReadOnnx(saved.Steps.Single(s => s.Kind == SavedStepKind.Onnx)).Model.ToBytes();
    }

    private static string Line(string[] lines, string start) => Assert.Single(lines, l => l.StartsWith(start, StringComparison.Ordinal));

    /// <summary>The numbers of a line of a table, after its name.</summary>
    private static double[] Numbers(string line) =>
    [
        .. line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(w => w.Contains('.', StringComparison.Ordinal) || w.Contains(',', StringComparison.Ordinal))
            .Where(w => char.IsAsciiDigit(w[0])).Select(w => double.Parse(w, CultureInfo.InvariantCulture)),
    ];
}
