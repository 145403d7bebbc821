using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;
using DataType = MLNetQuant.Onnx.Proto.TensorProto.Types.DataType;

namespace MLNetQuant.Tests;

/// <summary>Every refusal is one sentence that names the thing and the mend.</summary>
public sealed class ErrorTests : IDisposable
{
    private readonly ScratchFolder _folder = new();
    private readonly MLContext _ml = new(seed: 1);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_missing_model_file() =>
        AssertRefused("no-such.onnx", Rows(), _folder["no-such.onnx"], "does not exist", "check the path");

    [Fact]
    public void An_empty_model_file()
    {
        File.WriteAllBytes(_folder["empty.onnx"], []);
        AssertRefused("empty.onnx", Rows(), _folder["empty.onnx"], "is empty", "give a complete ONNX file");
    }

    [Theory]
    [InlineData(10)]
    [InlineData(100)]
    [InlineData(180)]
    public void A_truncated_model_file(int length)
    {
        var bytes = File.ReadAllBytes(SmallModels.Linear(_folder["whole.onnx"], 4));
        Assert.InRange(length, 1, bytes.Length - 1);
        File.WriteAllBytes(_folder["cut.onnx"], bytes[..length]);
        AssertRefused("cut.onnx", Rows(), _folder["cut.onnx"], "ONNX", "give a");
    }

    [Theory]
    [InlineData("This is a text, not a model.")]
    [InlineData("<html><body>Not found</body></html>")]
    [InlineData("{}")]
    public void A_file_of_another_kind(string content)
    {
        File.WriteAllText(_folder["page.onnx"], content);
        AssertRefused("page.onnx", Rows(), _folder["page.onnx"], "not an ONNX", "give a");
    }

    [Fact]
    public void A_folder_in_place_of_a_model_file() => AssertRefused(".", Rows(), _folder.Path, "cannot be read");

    [Fact]
    public void A_column_that_the_data_lacks()
    {
        SmallModels.Linear(_folder["x.onnx"], 4);
        var data = _ml.Data.LoadFromEnumerable([new Other { Features = [1, 2, 3, 4] }]);
        AssertRefused("x.onnx", data, "'x'", "'Features'", "CopyColumns");
    }

    [Fact]
    public void An_input_that_the_model_lacks()
    {
        SmallModels.Linear(_folder["x.onnx"], 4);
        var data = _ml.Data.LoadFromEnumerable([new Other { Features = [1, 2, 3, 4] }]);
        AssertSentence(Refusal(() => _ml.Transforms.QuantizeWeights("y", "Features", _folder["x.onnx"]).Fit(data)),
            "has no input 'Features'", "'x'", "name the input columns");
    }

    [Fact]
    public void An_input_that_no_column_feeds()
    {
        SmallModels.TwoByTwo(_folder["two.onnx"]);
        var data = _ml.Data.LoadFromEnumerable([new OnlyA { A = [1, 2, 3, 4] }]);
        AssertSentence(Refusal(() => _ml.Transforms.QuantizeWeights("sum", "a", _folder["two.onnx"]).Fit(data)), "'b'", "column");
    }

    [Fact]
    public void An_output_that_the_model_lacks() =>
        AssertSentence(
            Refusal(() => _ml.Transforms.QuantizeWeights("z", "x", SmallModels.Linear(_folder["x.onnx"], 4)).Fit(Rows())),
            "has no output 'z'", "'y'", "name the output columns");

    [Fact]
    public void A_column_named_twice()
    {
        SmallModels.Linear(_folder["x.onnx"], 4);
        AssertSentence(Refusal(() => _ml.Transforms.QuantizeWeights(["y"], ["x", "x"], _folder["x.onnx"]).Fit(Rows())), "'x'", "twice");
        AssertSentence(Refusal(() => _ml.Transforms.QuantizeWeights(["y", "y"], ["x"], _folder["x.onnx"]).Fit(Rows())), "'y'", "twice");
    }

    [Fact]
    public void A_column_of_the_wrong_type()
    {
        SmallModels.Linear(_folder["x.onnx"], 4);
        AssertRefused("x.onnx", _ml.Data.LoadFromEnumerable([new Doubles { X = [1, 2, 3, 4] }]), "'x'", "Double", "Float", "ConvertType");
        AssertRefused("x.onnx", _ml.Data.LoadFromEnumerable([new Text { X = "1 2 3 4" }]), "'x'", "String", "Float");
    }

    [Fact]
    public void A_column_of_the_wrong_width()
    {
        SmallModels.Linear(_folder["x.onnx"], 5);
        AssertRefused("x.onnx", Rows(), "'x'", "4", "5", "vectors of that length");
    }

    [Fact]
    public void A_column_of_twice_the_width()
    {
        SmallModels.Linear(_folder["x.onnx"], 2);
        AssertRefused("x.onnx", Rows(), "'x'", "4", "2", "vectors of that length");
    }

    [Fact]
    public void A_single_value_where_a_vector_is_due()
    {
        SmallModels.Linear(_folder["x.onnx"], 4);
        AssertRefused("x.onnx", _ml.Data.LoadFromEnumerable([new Single { X = 1 }]), "'x'", "Single", "4");
    }

    [Fact]
    public void A_single_value_for_an_input_without_a_second_axis()
    {
        // ML.NET feeds a single value as [1,1], which an input of one axis does not take.
        new ModelFile().Input("x", DataType.Float, -1).Weights("W", 1, 5).Weights("axis", 1, 1)
            .Node("Mul", "m", "x", "W").Node("MatMul", "y", "m", "V").Weights("V", 5, 3).Output("y", -1, 3)
            .Save(_folder["x.onnx"]);
        AssertRefused("x.onnx", _ml.Data.LoadFromEnumerable([new Single { X = 1 }]), "'x'", "[1,1]");
    }

    [Fact]
    public void A_vector_of_unknown_length()
    {
        SmallModels.Linear(_folder["x.onnx"], 4);
        AssertRefused("x.onnx", _ml.Data.LoadFromEnumerable([new Open { X = [1, 2, 3, 4] }]), "'x'", "unknown length", "fixed length");
    }

    [Fact]
    public void An_input_with_two_open_axes()
    {
        SmallModels.Linear(_folder["x.onnx"], 4, DataType.Float, -1, -1, -1, 4);
        AssertRefused("x.onnx", Rows(), "'x'", "open", "fix");
    }

    [Fact]
    public void No_rows()
    {
        SmallModels.Linear(_folder["x.onnx"], 4);
        AssertRefused("x.onnx", _ml.Data.LoadFromEnumerable(Array.Empty<Row>()), "no rows", "'x'", "at least one row");
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_value_that_is_not_finite(float bad)
    {
        SmallModels.Linear(_folder["x.onnx"], 4);
        float[][] rows = [.. SmallModels.Rows(37, 4), [1, 2, bad, 4], .. SmallModels.Rows(3, 4)];
        AssertRefused("x.onnx", _ml.Data.LoadFromEnumerable(rows.Select(r => new Row { X = r })), "'x'", "row 37", "value 2", "repair or drop");
    }

    [Fact]
    public void A_value_behind_the_rows_that_are_used_does_no_harm()
    {
        SmallModels.Linear(_folder["x.onnx"], 4);
        float[][] rows = [.. SmallModels.Rows(37, 4), [1, 2, float.NaN, 4]];
        using var model = _ml.Transforms.QuantizeWeights(_folder["x.onnx"], new QuantizationOptions { Rows = 37 })
            .Fit(_ml.Data.LoadFromEnumerable(rows.Select(r => new Row { X = r })));
        Assert.Equal(37, model.Report.CalibrationRows);
    }

    [Fact]
    public void A_value_too_large_to_be_squared()
    {
        SmallModels.Linear(_folder["x.onnx"], 4);
        float[][] rows = [.. SmallModels.Rows(37, 4), [1, 2, 1e30f, 4]];
        AssertRefused("x.onnx", _ml.Data.LoadFromEnumerable(rows.Select(r => new Row { X = r })), "'MatMul_y'", "too large", "exclude the layer");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    [InlineData(-4)]
    public void Bits_out_of_range(int bits) =>
        AssertSentence(Refusal(() => _ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, bits)), $"Bits is {bits}", "from 1 to 8");

    [Fact]
    public void Options_out_of_range()
    {
        AssertOption(new() { Seed = -1 }, "Seed is -1");
        AssertOption(new() { Rows = 0 }, "Rows is 0");
        AssertOption(new() { BatchSize = 0 }, "BatchSize is 0");
        AssertOption(new() { RowsPerLayer = 0 }, "RowsPerLayer is 0");
        AssertOption(new() { Threads = -2 }, "Threads is -2");
        AssertOption(new() { Include = ["(unclosed"] }, "'(unclosed'");
        AssertOption(new() { Exclude = ["(unclosed"] }, "'(unclosed'");

        void AssertOption(QuantizationOptions options, string part) =>
            AssertSentence(Refusal(() => _ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, options)), part);
    }

    [Fact]
    public void A_model_without_a_layer_to_quantize()
    {
        SmallModels.Relu(_folder["relu.onnx"]);
        AssertRefused("relu.onnx", Rows(), "relu.onnx", "no layer to quantize", "MatMul, Gemm or Conv");
    }

    [Fact]
    public void Patterns_that_leave_no_layer()
    {
        SmallModels.Linear(_folder["x.onnx"], 4);
        AssertSentence(
            Refusal(() => _ml.Transforms.QuantizeWeights(_folder["x.onnx"], new QuantizationOptions { Exclude = ["MatMul"] }).Fit(Rows())),
            "no layer to quantize", "exclude pattern 'MatMul'", "widen the patterns");
    }

    [Fact]
    public void An_ONNX_path_that_cannot_be_written()
    {
        using var model = _ml.Transforms.QuantizeWeights(SmallModels.Linear(_folder["x.onnx"], 4)).Fit(Rows());
        foreach (var path in new[] { _folder["no/such/folder/model.onnx"], _folder.Path, _folder["x.onnx/model.onnx"] })
            AssertSentence(Refusal(() => model.SaveOnnxModel(path)), $"'{path}'", "cannot be written", "give a path");
        Assert.Equal(["x.onnx"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void Arguments_that_are_null()
    {
        Assert.Throws<ArgumentNullException>(() => _ml.Transforms.QuantizeWeights((string)null!));
        Assert.Throws<ArgumentNullException>(() => _ml.Transforms.QuantizeWeights(FashionMnist.ModelFile, (QuantizationOptions)null!));
        Assert.Throws<ArgumentNullException>(() => ((TransformsCatalog)null!).QuantizeWeights(FashionMnist.ModelFile));
        Assert.Throws<ArgumentNullException>(() => _ml.Transforms.QuantizeWeights(FashionMnist.ModelFile).Fit(null!));
        Assert.Throws<ArgumentNullException>(() => _ml.Transforms.QuantizeWeights((string[])null!, ["input"], FashionMnist.ModelFile));
        Assert.Throws<ArgumentNullException>(() => _ml.Transforms.QuantizeWeights(["logits"], null!, FashionMnist.ModelFile));
    }

    [Fact]
    public void Use_after_disposal()
    {
        var model = _ml.Transforms.QuantizeWeights(SmallModels.Linear(_folder["x.onnx"], 4)).Fit(Rows());
        model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => model.Transform(Rows()));
        Assert.Throws<ObjectDisposedException>(() => _ml.Model.Save(model, Rows().Schema, _folder["model.zip"]));
        Assert.Throws<ObjectDisposedException>(() => _ml.Model.CreatePredictionEngine<Row, Scored>(model));
    }

    /// <summary>Fitting says the same as the only step and in a chain, which asks for the schema first.</summary>
    private void AssertRefused(string model, IDataView data, params string[] parts)
    {
        var estimator = _ml.Transforms.QuantizeWeights(_folder[model]);
        AssertSentence(Refusal(() => estimator.Fit(data)), parts);
        AssertSentence(Refusal(() => new EstimatorChain<ITransformer>().Append(estimator).Fit(data)), parts);
    }

    private IDataView Rows() => _ml.Data.LoadFromEnumerable(SmallModels.Rows(40, 4).Select(r => new Row { X = r }));

    private static string Refusal(Action action) => Assert.Throws<QuantizationException>(action).Message;

    private static void AssertSentence(string message, params string[] parts)
    {
        Assert.All(parts, p => Assert.Contains(p, message, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', message);
        Assert.EndsWith(".", message, StringComparison.Ordinal);
        Assert.True(char.IsUpper(message[0]), message);
    }

    private sealed class Row
    {
        [VectorType(4)]
        [ColumnName("x")]
        public float[] X { get; set; } = [];
    }

    private sealed class Scored
    {
        [ColumnName("y")]
        public float[] Y { get; set; } = [];
    }

    private sealed class Other
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }

    private sealed class OnlyA
    {
        [VectorType(4)]
        [ColumnName("a")]
        public float[] A { get; set; } = [];
    }

    private sealed class Doubles
    {
        [VectorType(4)]
        [ColumnName("x")]
        public double[] X { get; set; } = [];
    }

    private sealed class Text
    {
        [ColumnName("x")]
        public string X { get; set; } = string.Empty;
    }

    private sealed class Single
    {
        [ColumnName("x")]
        public float X { get; set; }
    }

    private sealed class Open
    {
        [ColumnName("x")]
        public float[] X { get; set; } = [];
    }
}
