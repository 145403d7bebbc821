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
        await CodeBlocks.Compile(source);
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
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => CodeBlocks.Compile(source.Replace("QuantizeWeights(", "QuantiseWeights(", StringComparison.Ordinal)));
        Assert.Contains("error CS1061", failure.Message, StringComparison.Ordinal);
        Assert.Contains("README.md(", failure.Message, StringComparison.Ordinal);
    }
}
