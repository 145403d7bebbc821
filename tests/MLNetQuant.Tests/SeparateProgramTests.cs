using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using MLNetQuant.Tests.Data;

namespace MLNetQuant.Tests;

public sealed class SeparateProgramTests(QuantizedSample sample) : IClassFixture<QuantizedSample>
{
    /// <summary>bin/CONFIGURATION/FRAMEWORK of the program, beside this test's own.</summary>
    private static readonly string Folder = Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, "../../../../ScoreSavedModel/bin", Built(1), Built(0)));

    [Theory]
    [InlineData(8)]
    [InlineData(4)] // packed into bytes
    [InlineData(3)] // packed into two planes
    public async Task A_program_that_references_only_MLNET_scores_a_saved_model_the_same(int bits)
    {
        using var folder = new ScratchFolder();
        using var model = bits == 8
            ? null
            : sample.ML.Transforms.QuantizeWeights(FashionMnist.ModelFile, QuantizedSample.Options with { Bits = bits }).Fit(sample.Calibration);
        await ScoresTheSame(folder, model ?? sample.Model);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // by the estimator
    public async Task It_scores_a_quantized_chain_the_same(bool byEstimator)
    {
        using var folder = new ScratchFolder();
        var chain = sample.ML.Transforms.ApplyOnnxModel(FashionMnist.ModelFile).Append(sample.ML.Transforms.CopyColumns("Score", "logits"));
        using var model = (TransformerChain<ColumnCopyingTransformer>)(byEstimator
            ? chain.WithQuantizedWeights(sample.ML, QuantizedSample.Options).Fit(sample.Calibration)
            : sample.ML.Model.QuantizeWeights(chain.Fit(sample.Calibration), sample.Calibration, QuantizedSample.Options));
        await ScoresTheSame(folder, model);
    }

    [Fact]
    public void No_MLNetQuant_assembly_stands_beside_that_program()
    {
        Assert.True(File.Exists(Path.Combine(Folder, "ScoreSavedModel.dll")), Folder);
        Assert.Empty(Directory.EnumerateFiles(Folder, "MLNetQuant*", SearchOption.AllDirectories));
        Assert.DoesNotContain("MLNetQuant", File.ReadAllText(Path.Combine(Folder, "ScoreSavedModel.deps.json")), StringComparison.Ordinal);
    }

    private async Task ScoresTheSame(ScratchFolder folder, ITransformer model)
    {
        sample.ML.Model.Save(model, sample.Calibration.Schema, folder["model.zip"]);
        File.WriteAllLines(folder["rows.txt"], FashionMnist.Test.Take(20).Select(i =>
            string.Join(' ', i.Pixels.Select(p => p.ToString("R", CultureInfo.InvariantCulture)))));

        var lines = await Run(folder["model.zip"], folder["rows.txt"]);

        Near.Equal(
            sample.Score(model),
            [.. lines.Select(l => l.Split(' ').Select(v => float.Parse(v, CultureInfo.InvariantCulture)).ToArray())]);
    }

    private static async Task<string[]> Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(Path.Combine(Folder, "ScoreSavedModel.dll"));
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);
        return (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    private static string Built(int up)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (up-- > 0)
            folder = folder.Parent!;
        return folder.Name;
    }
}
