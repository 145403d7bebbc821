using System.CommandLine;
using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using QuantizationEffort = MLNetQuant.Algorithms.Effort;

namespace MLNetQuant.Benchmarks.Accuracy;

/// <summary>The verb <c>accuracy</c>.</summary>
internal static class AccuracyCommand
{
    private const string Invocation = "dotnet run -c Release --project tests/MLNetQuant.Benchmarks -- accuracy";

    private static readonly string[] DefaultModels = ["fmnist_mlp", "fmnist_cnn", "fmnist_vit", "stories260k"];

    /// <summary>Runs it.</summary>
    /// <param name="root">The folder of the solution.</param>
    /// <param name="args">What follows the verb; nothing measures all and writes ACCURACY.md.</param>
    /// <returns>0 when all was measured and every float figure is the manifest's.</returns>
    public static int Run(string root, string[] args)
    {
        var models = Words("--models", $"Models of ../shared/manifest.json, or all. [default: {string.Join(',', DefaultModels)}]");
        var algorithms = Words("--algorithms", $"Algorithms, or none for the float figures alone. [default: {string.Join(',', WeightQuantizers.Names)}]");
        var bits = Numbers("--bits", "Bits per weight. [default: 4,3,2]");
        var blocks = Numbers("--blocks", "Inputs that share a scale, 0 for one scale for each output. [default: 0 for all bits, and 32 for 4 and 2 bits]");
        var effort = new Option<QuantizationEffort>("--effort") { Description = "Work of best.", DefaultValueFactory = _ => new BestOptions().Effort };
        var zeroPoint = new Option<ZeroPointRule>("--zero-point") { Description = "Zero points of all grids.", DefaultValueFactory = _ => QuantizationOptions.Default.ZeroPoint };
        var scaleRule = new Option<ScaleRule>("--scale-rule") { Description = "How scales are chosen.", DefaultValueFactory = _ => QuantizationOptions.Default.ScaleRule };
        var bias = new Option<bool>("--bias-correction") { Description = "Each layer's bias takes up the mean error of its outputs.", DefaultValueFactory = _ => QuantizationOptions.Default.BiasCorrection };
        var rows = new Option<int>("--rows-per-layer") { Description = "Rows of each layer's matrix problem.", DefaultValueFactory = _ => QuantizationOptions.Default.RowsPerLayer };
        var output = new Option<string>("--output") { Description = "Write the tables to this file, anew after each measurement." };
        var command = new RootCommand("Quantizes the models of ../shared and measures them on their test rows.")
        {
            models, algorithms, bits, blocks, effort, zeroPoint, scaleRule, bias, rows, output,
        };
        command.SetAction(parsed =>
        {
            var manifest = Manifest.Load(Path.GetFullPath(Path.Combine(root, "..", "shared")));
            var chosen = Given(parsed, models) ?? DefaultModels;
            var options = QuantizationOptions.Default with
            {
                ScaleRule = parsed.GetValue(scaleRule),
                BiasCorrection = parsed.GetValue(bias),
                RowsPerLayer = parsed.GetValue(rows),
                Threads = ModelSession.Threads,
            };
            return Run(
                manifest,
                chosen is ["all"] ? manifest.Models : manifest.Select(chosen),
                Configurations(Given(parsed, bits), Given(parsed, blocks), parsed.GetValue(zeroPoint)),
                Algorithms(Given(parsed, algorithms) ?? WeightQuantizers.Names, parsed.GetValue(effort)),
                options,
                string.Join(' ', [Invocation, .. WithoutOutput(args)]),
                parsed.GetValue(output) ?? (args.Length == 0 ? Path.Combine(root, "tests", "MLNetQuant.Benchmarks", "ACCURACY.md") : null));
        });
        try
        {
            return command.Parse(args).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (Exception e) when (e is AccuracyException or QuantizationException or FormatException or ArgumentException or IOException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    private static int Run(
        Manifest manifest,
        IReadOnlyList<ManifestModel> models,
        IReadOnlyList<Configuration> configurations,
        IReadOnlyList<IWeightQuantizer> algorithms,
        QuantizationOptions options,
        string command,
        string? output)
    {
        var run = new AccuracyRun(manifest, options, Console.WriteLine);
        var measured = new List<MeasuredModel>();
        foreach (var model in models)
        {
            run.Measure(model, configurations, algorithms, result =>
            {
                if (!measured.Contains(result))
                    measured.Add(result);
                if (output is not null)
                    File.WriteAllText(output, AccuracyTable.Write(measured, command));
            });
        }

        if (output is null)
            Console.WriteLine(AccuracyTable.Write(measured, command));
        return measured.All(m => m.IsAsStated && m.Cells.All(c => c.Failure is null)) ? 0 : 1;
    }

    private static IReadOnlyList<Configuration> Configurations(int[]? bits, int[]? blocks, ZeroPointRule zeroPoint)
    {
        int[] channelBits = bits ?? [4, 3, 2];
        if (blocks is not null)
            return [.. blocks.SelectMany(block => channelBits.Select(b => new Configuration(b, block, zeroPoint)))];
        int[] blockBits = bits is null ? [4, 2] : [];
        return
        [
            .. channelBits.Select(b => new Configuration(b, 0, zeroPoint)),
            .. blockBits.Select(b => new Configuration(b, 32, zeroPoint)),
        ];
    }

    private static IReadOnlyList<IWeightQuantizer> Algorithms(IReadOnlyList<string> names, QuantizationEffort effort) =>
    [
        .. names.Where(n => n != "none").Select(WeightQuantizers.Parse)
            .Select(a => a is Best ? new Best(new BestOptions { Effort = effort }) : a),
    ];

    /// <summary>The arguments that decide about figures.</summary>
    private static IEnumerable<string> WithoutOutput(string[] args) =>
        args.Where((a, i) => !a.StartsWith("--output", StringComparison.Ordinal) && (i == 0 || args[i - 1] != "--output"));

    /// <summary>The list, or null where the option is absent, for which the parser has an empty one.</summary>
    private static T[]? Given<T>(ParseResult parsed, Option<T[]> option) =>
        parsed.GetValue(option) is { Length: > 0 } values ? values : null;

    private static Option<string[]> Words(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "A,B",
        CustomParser = result => result.Tokens[0].Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
    };

    private static Option<int[]> Numbers(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "A,B",
        CustomParser = result =>
        {
            var words = result.Tokens[0].Value.Split(',');
            var numbers = new int[words.Length];
            for (var i = 0; i < words.Length; i++)
            {
                if (!int.TryParse(words[i], out numbers[i]) || numbers[i] < 0)
                    result.AddError($"{name} is {result.Tokens[0].Value}: give whole numbers separated by commas, such as 4,2.");
            }

            return numbers;
        },
    };
}
