using MLNetQuant.Cli.Tests;
using MLNetQuant.Packages.Tests;

namespace MLNetQuant.Samples.Tests;

/// <summary>What documents show compiles as it stands, with the compiler of the SDK.</summary>
public sealed class CodeBlockTests
{
    public static TheoryData<string> Documents =>
    [
        "README.md", "samples/README.md", "nuget/MLNetQuant.md", "nuget/MLNetQuant.Core.md", "nuget/MLNetQuant.Onnx.md",
    ];

    [Theory]
    [MemberData(nameof(Documents))]
    public async Task The_code_blocks_of_a_document_compile(string document)
    {
        var (source, count) = CodeBlocks.Of(document);
        if (count == 0)
            return;
        await Compile(source);
    }

    [Theory]
    [InlineData("ml.Transforms.QuantizeWeights(")]
    [InlineData("ml.Model.QuantizeWeights(")]
    [InlineData(".WithQuantizedWeights(")]
    [InlineData("ml.Transforms.ApplyOnnxModelBatched(")]
    [InlineData(".Batched(")]
    public void The_readme_shows_each_way_in(string call) =>
        Assert.Contains(call, CodeBlocks.Of("README.md").Source, StringComparison.Ordinal);

    [Fact]
    public async Task A_block_that_names_what_is_not_there_does_not_compile()
    {
        var (source, _) = CodeBlocks.Of("README.md");
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => Compile(source.Replace("QuantizeWeights(", "QuantiseWeights(", StringComparison.Ordinal)));
        Assert.Contains("error CS1061", failure.Message, StringComparison.Ordinal);
        Assert.Contains("README.md(", failure.Message, StringComparison.Ordinal);
    }

    private static async Task Compile(string source)
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
