using System.Text;
using MLNetQuant.Cli.Tests;
using MLNetQuant.Packages.Tests;

namespace MLNetQuant.Samples.Tests;

/// <summary>The C# code blocks of a document, as one source file.</summary>
internal static class CodeBlocks
{
    /// <summary>What blocks may speak of without declaring it: what a reader has.</summary>
    private const string Reader = """
        internal abstract class Reader
        {
            protected static readonly Microsoft.ML.MLContext ml = new(seed: 1);
            protected static readonly Microsoft.ML.IDataView calibrationRows = null!, trainingRows = null!, testRows = null!, rows = null!;
            protected static readonly Microsoft.ML.IEstimator<Microsoft.ML.ITransformer> training = null!;
            protected static readonly System.IProgress<MLNetQuant.QuantizationProgress> progress = null!;
            protected static readonly System.Threading.CancellationToken token = default;
            protected static readonly float[] pixels = [];
        }
        """;

    private static readonly string[] ImplicitUsings =
        ["System", "System.Collections.Generic", "System.IO", "System.Linq", "System.Threading", "System.Threading.Tasks"];

    /// <summary>
    /// Each block becomes a method, or stays as it is where it declares a type; the usings of a document's earlier blocks
    /// hold for later ones. Line numbers are those of the document.
    /// </summary>
    public static (string Source, int Count) Of(string document)
    {
        var usings = ImplicitUsings.Select(u => $"using {u};").ToList();
        var blocks = new StringBuilder();
        var count = 0;
        var lines = File.ReadAllLines(Path.Combine(Repository.Root, document));
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].Trim() != "```csharp")
                continue;
            var first = i + 1;
            var end = Array.FindIndex(lines, first, l => l.Trim() == "```");
            var code = lines[first..end].Select(l => l.TrimStart().StartsWith("using ", StringComparison.Ordinal) && !l.Contains('=', StringComparison.Ordinal) ? Hoist(l) : l).ToArray();
            var isType = code.Any(l => l.Contains(" class ", StringComparison.Ordinal));
            blocks.Append(isType ? "" : $"internal sealed class Block{count} : Reader\n{{\npublic static void Run()\n{{\n")
                .Append("#line ").Append(first + 1).Append(" \"").Append(document).Append("\"\n")
                .AppendJoin('\n', code).Append("\n#line default\n").Append(isType ? "" : "}\n}\n");
            count++;
            i = end;
        }

        return ($"{string.Join('\n', usings.Distinct())}\n{Reader}\n{blocks}", count);

        string Hoist(string line)
        {
            usings.Add(line.Trim());
            return "";
        }
    }

    /// <summary>Examples of documentation comments, each as a method of its own.</summary>
    /// <param name="examples">Member and code.</param>
    public static string OfExamples(IEnumerable<(string Member, string Code)> examples)
    {
        var usings = ImplicitUsings.Append("Microsoft.ML").Append("Microsoft.ML.Data").Append("MLNetQuant").Select(u => $"using {u};");
        var blocks = examples.Select((e, i) =>
            $"internal sealed class Example{i} : Reader\n{{\npublic static void Run()\n{{\n#line 1 \"{e.Member}\"\n{e.Code}\n#line default\n}}\n}}\n");
        return $"{string.Join('\n', usings)}\n{Reader}\n{string.Concat(blocks)}";
    }

    /// <summary>Compiles a file against what these tests reference, and demands success.</summary>
    public static async Task Compile(string source)
    {
        var folder = Directory.CreateTempSubdirectory("mlnetquant-blocks-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "Blocks.cs"), source);
            var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
                .Where(r => Path.GetFileName(r) != "MLNetQuant.Samples.Tests.dll").Select(r => $"-reference:\"{r}\"");
            File.WriteAllLines(
                Path.Combine(folder, "compile.rsp"),
                ["-nologo", "-noconfig", "-nostdlib", "-target:library", "-langversion:latest", "-nullable:enable", "-out:Blocks.dll", .. references, "Blocks.cs"]);
            var sdk = (await Dotnet.Run(Repository.Root, "--version")).Trim();
            await Dotnet.Run(folder, "exec", Path.Combine(Dotnet.Folder, "sdk", sdk, "Roslyn", "bincore", "csc.dll"), "@compile.rsp");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
