using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetQuant.Tests.Data;

/// <summary>A program that references ML.NET alone and scores what was saved.</summary>
internal static class SeparateProgram
{
    /// <summary>bin/CONFIGURATION/FRAMEWORK of the program, beside this test's own.</summary>
    public static string Folder { get; } = Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, "../../../../ScoreSavedModel/bin", Built(1), Built(0)));

    /// <summary>
    /// Saves a model, and compares what the program's prediction engine and its Transform give with the model's own scores.
    /// The program leaves no temporary file.
    /// </summary>
    /// <param name="ml">The context that saves.</param>
    /// <param name="model">The model.</param>
    /// <param name="rows">Rows to score.</param>
    /// <param name="output">The column of the scores.</param>
    /// <param name="inputs">One or two columns of vectors of float, those that the model reads.</param>
    public static async Task AssertScoresTheSame(MLContext ml, ITransformer model, IDataView rows, string output, params string[] inputs)
    {
        using var folder = new ScratchFolder();
        ml.Model.Save(model, rows.Schema, folder["model.zip"]);
        var lines = rows.GetColumn<float[]>(inputs[0]).Select(Text);
        if (inputs.Length > 1)
            lines = lines.Zip(rows.GetColumn<float[]>(inputs[1]).Select(Text), (first, second) => $"{first}|{second}");
        File.WriteAllLines(folder["rows.txt"], lines);
        var temporary = Directory.CreateDirectory(folder["temporary"]).FullName;

        var printed = await Run(temporary, [folder["model.zip"], folder["rows.txt"], output, .. inputs]);

        var expected = Scores(model.Transform(rows), output);
        Near.Equal(
            [.. expected, .. expected],
            [.. printed.Select(l => l.Split(' ').Select(v => float.Parse(v, CultureInfo.InvariantCulture)).ToArray())]);
        Assert.DoesNotContain(Directory.GetFiles(temporary, "*", SearchOption.AllDirectories), f => !IsOfOnnxRuntime(Path.GetFileName(f)));
    }

    /// <summary>Some builds of ONNX Runtime keep records of their own in the folder of temporary files.</summary>
    private static bool IsOfOnnxRuntime(string name) => name == ".ses" || name.StartsWith("mat-debug-", StringComparison.Ordinal);

    private static float[][] Scores(IDataView scored, string output) => scored.Schema[output].Type is VectorDataViewType
        ? [.. scored.GetColumn<float[]>(output)]
        : [.. scored.GetColumn<float>(output).Select(s => new[] { s })];

    private static string Text(float[] values) => string.Join(' ', values.Select(v => v.ToString("R", CultureInfo.InvariantCulture)));

    private static async Task<string[]> Run(string temporary, string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // whose pipes are temporary files
        foreach (var variable in OwnTemporaryFolder.Variables)
            start.Environment[variable] = temporary;
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
