using MLNetQuant.Algorithms;
using MLNetQuant.Grids;

namespace MLNetQuant.Benchmarks.Accuracy;

/// <summary>The verb <c>files</c>: every model with the default options, at the bits that users choose from, in FILES.md.</summary>
internal static class FilesCommand
{
    private static readonly Configuration[] Configurations =
    [
        new(8, 0, ZeroPointRule.Automatic),
        new(4, 32, ZeroPointRule.Automatic),
        new(4, 0, ZeroPointRule.Automatic),
        new(3, 0, ZeroPointRule.Automatic),
        new(2, 0, ZeroPointRule.Automatic),
    ];

    /// <summary>Runs it.</summary>
    /// <param name="root">The folder of the solution.</param>
    /// <param name="names">Models; none for all, which writes the file.</param>
    /// <returns>0 when all was measured and every float figure is the manifest's.</returns>
    public static int Run(string root, string[] names)
    {
        try
        {
            var manifest = Manifest.Load(Path.GetFullPath(Path.Combine(root, "..", "shared")));
            var run = new AccuracyRun(manifest, QuantizationOptions.Default with { Threads = ModelSession.Threads }, Console.WriteLine);
            var measured = new List<MeasuredModel>();
            foreach (var model in names.Length == 0 ? manifest.Models : manifest.Select(names))
            {
                MeasuredModel? last = null;
                run.Measure(model, Configurations, [new Best()], result => last = result);
                measured.Add(last!);
                if (names.Length == 0)
                    File.WriteAllText(Path.Combine(root, "tests", "MLNetQuant.Benchmarks", "FILES.md"), FilesTable.Write(measured));
            }

            Console.WriteLine(FilesTable.Write(measured));
            return measured.All(m => m.IsAsStated && m.Cells.All(c => c.Failure is null)) ? 0 : 1;
        }
        catch (Exception e) when (e is AccuracyException or QuantizationException or IOException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }
}
