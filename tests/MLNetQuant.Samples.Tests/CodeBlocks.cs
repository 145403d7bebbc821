using System.Text;
using MLNetQuant.Cli.Tests;

namespace MLNetQuant.Samples.Tests;

/// <summary>The C# code blocks of a document, as one source file.</summary>
internal static class CodeBlocks
{
    /// <summary>What blocks may speak of without declaring it: what a reader has.</summary>
    private const string Reader = """
        internal abstract class Reader
        {
            protected static readonly Microsoft.ML.MLContext ml = new(seed: 1);
            protected static readonly Microsoft.ML.IDataView calibrationRows = null!, trainingRows = null!, testRows = null!;
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
}
