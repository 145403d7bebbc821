using System.Reflection;
using System.Runtime.CompilerServices;
using MLNetQuant.Algorithms;
using MLNetQuant.Onnx;

namespace MLNetQuant.PublicApi.Tests;

/// <summary>What the assemblies show is what the committed files in PublicApi list, so that no change goes unseen.</summary>
public class ApiListingTests
{
    private const string WriteVariable = "MLNETQUANT_WRITE_API";

    private static readonly Dictionary<string, Assembly> Assemblies = new[]
    {
        typeof(IWeightQuantizer).Assembly, typeof(ModelQuantizer).Assembly, typeof(WeightQuantizingEstimator).Assembly,
    }.ToDictionary(a => a.GetName().Name!);

    public static TheoryData<string> Names => [.. Assemblies.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_public_api_is_the_one_that_is_listed(string assembly)
    {
        var file = Path.Combine(FindRepository(), "tests", "MLNetQuant.PublicApi.Tests", "PublicApi", $"{assembly}.txt");
        var actual = ApiListing.Of(Assemblies[assembly]);
        if (Environment.GetEnvironmentVariable(WriteVariable) == "1")
            File.WriteAllText(file, actual);
        var listed = File.Exists(file) ? File.ReadAllText(file).ReplaceLineEndings("\n") : "";
        var difference = Difference(listed.Split('\n'), actual.Split('\n'));
        Assert.True(
            difference.Length == 0,
            $"The public API of {assembly} is not the one listed in PublicApi/{assembly}.txt ({difference}): if that is meant, run 'dotnet run build.cs api' and commit the file.");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void No_assembly_befriends_this_one(string assembly) => Assert.DoesNotContain(
        Assemblies[assembly].GetCustomAttributes<InternalsVisibleToAttribute>(),
        friend => friend.AssemblyName.Contains("PublicApi", StringComparison.OrdinalIgnoreCase));

    [Fact]
    public void Every_kind_of_member_is_written_as_it_is_declared()
    {
        var types = ApiListing.Of(typeof(ApiListingTests).Assembly).Split("\n\n");
        Assert.Equal(
            """
            public abstract class ApiListingExample<T> : IDisposable where T : unmanaged
                protected ApiListingExample(int count = 3)
                static readonly int[]? Field
                const string Name = "a"
                ref T this[int row] { get; }
                abstract IReadOnlyList<string?> Items { get; }
                int Number { get; protected set; }
                required string Text { get; init; }
                virtual void Dispose()
                static void Sort<TKey>(ref TKey key, out int? place, in double d, params string[] names) where TKey : class, IComparable<TKey>, new()
                override string ToString()
            """.ReplaceLineEndings("\n"),
            Assert.Single(types, t => t.Contains("ApiListingExample<T>", StringComparison.Ordinal)));
        Assert.Contains("public readonly record struct ApiListingPoint\n    ApiListingPoint(int X, double? Y)\n    int X { get; init; }\n    double? Y { get; init; }", types);
        Assert.Contains("public enum ApiListingKind : byte\n    First = 1\n    Second = 2", types);
    }

    /// <summary>The lines that are on one side only; empty where the files are the same.</summary>
    internal static string Difference(string[] listed, string[] actual)
    {
        var missing = listed.Except(actual).Select(l => $"gone: {l.Trim()}");
        var added = actual.Except(listed).Select(l => $"new: {l.Trim()}");
        var all = missing.Concat(added).ToArray();
        return all.Length == 0 && !listed.SequenceEqual(actual) ? "lines have moved" : string.Join("; ", all.Take(10));
    }

    internal static string FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "MLNetQuant.sln")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests must run inside the repository.");
    }
}
