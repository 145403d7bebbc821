using MLNetQuant.Algorithms;
using MLNetQuant.Onnx;

namespace MLNetQuant.PublicApi.Tests;

/// <summary>
/// What the product touches of ML.NET and ONNX Runtime is what the committed files in References list, so that it can be
/// checked against the public assemblies, whichever this was built against.
/// </summary>
public class MLNetMemberTests
{
    private const string WriteVariable = "MLNETQUANT_WRITE_API";

    private static readonly Dictionary<string, string> Files = new()
    {
        ["MLNetQuant.Core"] = typeof(IWeightQuantizer).Assembly.Location,
        ["MLNetQuant.Onnx"] = typeof(ModelQuantizer).Assembly.Location,
        ["MLNetQuant"] = typeof(WeightQuantizingEstimator).Assembly.Location,
        ["MLNetQuant.Cli"] = CommandLineTool(),
    };

    public static TheoryData<string> Names => [.. Files.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_members_of_MLNET_that_an_assembly_touches_are_the_ones_that_are_listed(string assembly)
    {
        var file = Path.Combine(ApiListingTests.FindRepository(), "tests", "MLNetQuant.PublicApi.Tests", "References", $"{assembly}.txt");
        var actual = AssemblyMembers.Referenced(Files[assembly], "Microsoft.ML");
        if (Environment.GetEnvironmentVariable(WriteVariable) == "1")
            File.WriteAllText(file, string.Concat(actual.Select(m => m + "\n")));
        var difference = ApiListingTests.Difference(File.Exists(file) ? File.ReadAllLines(file) : [], [.. actual]);
        Assert.True(
            difference.Length == 0,
            $"What {assembly} touches of ML.NET is not what References/{assembly}.txt lists ({difference}): if that is meant, run 'dotnet run build.cs api' and commit the file.");
    }

    [Fact]
    public void Every_member_that_is_listed_is_a_public_one_of_the_assemblies_beside_this_test()
    {
        var declared = Directory.EnumerateFiles(AppContext.BaseDirectory, "Microsoft.ML*.dll").SelectMany(AssemblyMembers.Declared).ToHashSet();
        var listed = Files.Keys.SelectMany(n => File.ReadAllLines(Path.Combine(
            ApiListingTests.FindRepository(), "tests", "MLNetQuant.PublicApi.Tests", "References", $"{n}.txt"))).ToHashSet();
        Assert.Contains("Microsoft.ML.TransformsCatalog", listed);
        Assert.Empty(listed.Except(declared));
    }

    [Fact]
    public void The_mathematics_touch_neither() => Assert.Empty(AssemblyMembers.Referenced(Files["MLNetQuant.Core"], "Microsoft.ML"));

    [Fact]
    public void A_member_reads_the_same_where_it_is_touched_and_where_it_is_declared()
    {
        var touched = AssemblyMembers.Referenced(typeof(MLNetMemberTests).Assembly.Location, "MLNetQuant");
        var declared = Files.Values.SelectMany(AssemblyMembers.Declared).ToHashSet();
        Assert.Contains("MLNetQuant.Algorithms.Gpfq..ctor(): void", touched);
        Assert.Contains("MLNetQuant.Numerics.Matrix`1..ctor(int, int): void", touched);
        Assert.Empty(touched.Except(declared));
    }

    /// <summary>Built with these tests, in the same configuration; nothing of it is loaded.</summary>
    private static string CommandLineTool()
    {
        var framework = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.Combine(ApiListingTests.FindRepository(), "src", "MLNetQuant.Cli", "bin", framework.Parent!.Name, framework.Name, "mlnetquant.dll");
    }
}
