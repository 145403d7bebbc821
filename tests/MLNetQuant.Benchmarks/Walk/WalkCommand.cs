using System.CommandLine;
using MLNetQuant.Algorithms;

namespace MLNetQuant.Benchmarks.Walk;

/// <summary>The verb <c>walk</c>: what calibration costs beside the work that it cannot do without, and how that grows with depth.</summary>
internal static class WalkCommand
{
    private static readonly int[] Layers = [6, 12, 24, 48];
    private static readonly int[] Blocks = [6, 12, 24];

    /// <summary>Runs it.</summary>
    /// <param name="root">The folder of the solution.</param>
    /// <param name="args">What follows the verb; nothing measures all and writes WALK.md.</param>
    public static int Run(string root, string[] args)
    {
        var algorithms = new Option<string[]>("--algorithms")
        {
            Description = "Algorithms.",
            DefaultValueFactory = _ => ["msq"],
            AllowMultipleArgumentsPerToken = true,
        };
        var depth = new Option<int>("--depth") { Description = "The largest depth.", DefaultValueFactory = _ => int.MaxValue };
        var repeats = new Option<int>("--repeats") { Description = "Runs of each network.", DefaultValueFactory = _ => 3 };
        var command = new RootCommand("Measures the walk over generated networks.") { algorithms, depth, repeats };
        command.SetAction(parsed =>
        {
            var table = new WalkTable();
            foreach (var name in parsed.GetValue(algorithms)!)
            {
                var options = QuantizationOptions.Default with { Algorithm = WeightQuantizers.Parse(name) };
                Measure(options, Layers, ResidualCnn.Create);
                Measure(options, Blocks, Transformer.Create);
            }

            Console.WriteLine(table.Write());

            void Measure(QuantizationOptions options, int[] depths, Func<int, int, GeneratedModel> create)
            {
                GeneratedModel[] networks =
                [
                    .. depths.Where(d => d <= parsed.GetValue(depth)).Select(d => create(d, options.RowsPerLayer)),
                ];
                foreach (var network in Enumerable.Repeat(networks, parsed.GetValue(repeats)).SelectMany(n => n))
                {
                    var measured = WalkMeasurement.Of(network, options);
                    table.Add(network.Name, options.Algorithm.Name, network.Depth, measured);
                    Console.Error.WriteLine(FormattableString.Invariant(
                        $"{network.Name}, {options.Algorithm.Name}, {network.Depth}: {measured.Multiple(e => e.Clock):0.00} by the clock, {measured.Multiple(e => e.Processors):0.00} in processor time"));
                    if (args.Length == 0)
                        File.WriteAllText(Path.Combine(root, "tests", "MLNetQuant.Benchmarks", "WALK.md"), table.Write());
                }
            }
        });
        return command.Parse(args).Invoke();
    }
}
