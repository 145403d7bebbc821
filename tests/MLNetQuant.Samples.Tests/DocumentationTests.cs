using System.Xml.Linq;

namespace MLNetQuant.Samples.Tests;

/// <summary>What editors show of the extension methods: a table of characteristics and an example, which compiles.</summary>
public sealed class DocumentationTests
{
    private static readonly XElement[] EntryPoints =
    [
        .. XDocument.Load(Path.Combine(AppContext.BaseDirectory, "MLNetQuant.xml")).Descendants("member")
            .Where(m => m.Attribute("name")!.Value.StartsWith("M:Microsoft.ML.", StringComparison.Ordinal)),
    ];

    public static TheoryData<string> Members => [.. EntryPoints.Select(m => m.Attribute("name")!.Value)];

    [Theory]
    [MemberData(nameof(Members))]
    public void An_entry_point_has_a_table_of_characteristics_and_an_example(string member)
    {
        var documented = EntryPoints.Single(m => m.Attribute("name")!.Value == member);
        Assert.Contains("| Characteristic | |", Find(documented, "remarks").Value, StringComparison.Ordinal);
        Assert.NotEmpty(Find(documented, "example").Descendants("code"));
    }

    [Fact]
    public void There_are_entry_points_for_each_way_in() => Assert.Equal(
        ["ApplyOnnxModelBatched", "Batched", "QuantizeWeights", "WithQuantizedWeights"],
        EntryPoints.Select(m => m.Attribute("name")!.Value.Split('(')[0].Split('.')[^1]).Distinct().Order(StringComparer.Ordinal));

    /// <summary>But for those that train, where the stand-in for ML.NET has no trainers.</summary>
    [Fact]
    public async Task The_examples_compile()
    {
        var hasTrainers = Type.GetType("Microsoft.ML.StandardTrainersCatalog, Microsoft.ML.StandardTrainers", throwOnError: false) is not null;
        var examples = EntryPoints
            .SelectMany(m => m.Elements("example").Descendants("code").Select(c => (Member: m.Attribute("name")!.Value.Split('(')[0], Code: c.Value)))
            .Where(e => hasTrainers || !e.Code.Contains(".Trainers.", StringComparison.Ordinal)).ToArray();
        Assert.InRange(examples.Length, EntryPoints.Length / 2, EntryPoints.Length);
        await CodeBlocks.Compile(CodeBlocks.OfExamples(examples));
    }

    /// <summary>A part of the documentation, inherited from another entry point or its own.</summary>
    private static XElement Find(XElement member, string part) => member.Element(part)
        ?? Find(
            EntryPoints.Single(m => m.Attribute("name")!.Value == member.Elements("inheritdoc").Single(i => i.Attribute("path")!.Value == $"/{part}").Attribute("cref")!.Value),
            part);
}
