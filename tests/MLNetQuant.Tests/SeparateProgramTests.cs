using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;

namespace MLNetQuant.Tests;

/// <summary>What <c>QuantizeWeights</c> made of a model, saved, in a program that references only ML.NET.</summary>
public sealed class SeparateProgramTests(QuantizedSample sample) : IClassFixture<QuantizedSample>
{
    [Theory]
    [InlineData(8)]
    [InlineData(4)] // packed into bytes
    [InlineData(3)] // packed into two planes
    public async Task A_program_that_references_only_MLNET_scores_a_saved_model_the_same(int bits)
    {
        using var model = bits == 8
            ? null
            : sample.ML.Transforms.QuantizeWeights(FashionMnist.ModelFile, QuantizedSample.Options with { Bits = bits }).Fit(sample.Calibration);
        await ScoresTheSame(model ?? sample.Model);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // by the estimator
    public async Task It_scores_a_quantized_chain_the_same(bool byEstimator)
    {
        var chain = sample.ML.Transforms.ApplyOnnxModel(FashionMnist.ModelFile).Append(sample.ML.Transforms.CopyColumns("Score", "logits"));
        using var model = (TransformerChain<ColumnCopyingTransformer>)(byEstimator
            ? chain.WithQuantizedWeights(sample.ML, QuantizedSample.Options).Fit(sample.Calibration)
            : sample.ML.Model.QuantizeWeights(chain.Fit(sample.Calibration), sample.Calibration, QuantizedSample.Options));
        await ScoresTheSame(model);
    }

    [Theory]
    [InlineData("file", "one")]
    [InlineData("file", "several")]
    [InlineData("file", "all")]
    [InlineData("bytes", "one")]
    [InlineData("bytes", "several")]
    [InlineData("bytes", "all")]
    [InlineData("stream", "one")]
    [InlineData("stream", "several")]
    [InlineData("stream", "all")]
    public async Task It_scores_a_model_from_every_source_with_every_choice_of_columns(string source, string columns)
    {
        using var folder = new ScratchFolder();
        var (transforms, options) = (sample.ML.Transforms, new QuantizationOptions { Bits = 4 });
        var file = columns == "one" ? SmallModels.Linear(folder["x.onnx"], 4) : SmallModels.TwoByTwo(folder["two.onnx"]);
        var bytes = await File.ReadAllBytesAsync(file);
        using var stream = new MemoryStream(bytes, writable: false);
        var (output, inputs) = columns == "one" ? ("y", ["x"]) : ("difference", new[] { "a", "b" });
        var estimator = (source, columns) switch
        {
            ("file", "one") => transforms.QuantizeWeights(output, inputs[0], file, options),
            ("file", "several") => transforms.QuantizeWeights([output], inputs, file, options),
            ("file", _) => transforms.QuantizeWeights(file, options),
            ("bytes", "one") => transforms.QuantizeWeights(output, inputs[0], bytes, options),
            ("bytes", "several") => transforms.QuantizeWeights([output], inputs, bytes, options),
            ("bytes", _) => transforms.QuantizeWeights(bytes, options),
            (_, "one") => transforms.QuantizeWeights(output, inputs[0], stream, options),
            (_, "several") => transforms.QuantizeWeights([output], inputs, stream, options),
            _ => transforms.QuantizeWeights(stream, options),
        };
        var rows = columns == "one"
            ? MixedRow.View(sample.ML, 20)
            : sample.ML.Data.LoadFromEnumerable(SmallModels.Rows(20, 4).Zip(SmallModels.Rows(20, 3, seed: 2), (a, b) => new Pair { A = a, B = b }));
        using var model = estimator.Fit(rows);
        await SeparateProgram.AssertScoresTheSame(sample.ML, model, rows, output, inputs);
    }

    [Fact]
    public async Task It_scores_a_quantized_model_in_the_middle_of_a_chain()
    {
        var pixels = sample.ML.Transforms.CopyColumns("pixels", "input").Fit(sample.Images).Transform(sample.Images);
        var rows = sample.ML.Transforms.SelectColumns("pixels").Fit(pixels).Transform(pixels);
        using var model = sample.ML.Transforms.CopyColumns("input", "pixels")
            .Append(sample.ML.Transforms.QuantizeWeights(FashionMnist.ModelFile, QuantizedSample.Options))
            .Append(sample.ML.Transforms.CopyColumns("Score", "logits"))
            .Fit(rows);
        await SeparateProgram.AssertScoresTheSame(sample.ML, model, rows, "Score", "pixels");
    }

    [Fact]
    public void No_MLNetQuant_assembly_stands_beside_that_program()
    {
        Assert.True(File.Exists(Path.Combine(SeparateProgram.Folder, "ScoreSavedModel.dll")), SeparateProgram.Folder);
        Assert.Empty(Directory.EnumerateFiles(SeparateProgram.Folder, "MLNetQuant*", SearchOption.AllDirectories));
        Assert.DoesNotContain("MLNetQuant", File.ReadAllText(Path.Combine(SeparateProgram.Folder, "ScoreSavedModel.deps.json")), StringComparison.Ordinal);
    }

    private Task ScoresTheSame(ITransformer model) =>
        SeparateProgram.AssertScoresTheSame(sample.ML, model, sample.Images, "logits", "input");
}
