using System.IO.Compression;
using MLNetQuant.Algorithms;

namespace MLNetQuant.Onnx.Tests.Saved;

public sealed class LinearModelTests
{
    public static TheoryData<string> Kinds => [.. LinearZip.Kinds];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Weights_and_biases_are_read_as_they_were_written(string kind)
    {
        var zip = LinearZip.Of(kind);
        var (_, step, model) = Open(zip);
        Assert.Equal("TransformerChain/Transform_002", step.Folder);
        Assert.Equal(zip.Type, step.TypeName);
        Assert.Null(step.Reason);
        Assert.Equal("Features", model.FeatureColumn);
        Assert.Equal(40, model.FeatureCount);
        Assert.Equal(zip.Weights, LinearZip.Dense(model));
        Assert.Equal(zip.Biases, model.Outputs.Select(o => o.Bias));
        Assert.Equal(kind.StartsWith("sparse", StringComparison.Ordinal), model.Outputs.All(o => o.Features is not null));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Quantized_weights_take_the_place_of_the_weights_and_nothing_else_changes(string kind)
    {
        const int bits = 3;
        var zip = LinearZip.Of(kind);
        var (saved, step, model) = Open(zip);
        var rows = LinearZip.Rows(500, 40);
        var quantized = LinearModelQuantizer.Quantize(model, rows, new() { Bits = bits });
        var bytes = saved.With(step, quantized.Model).ToBytes();
        var again = Open(bytes);

        Assert.Equal(LinearZip.Dense(quantized.Model), LinearZip.Dense(again.Model));
        Assert.NotEqual(zip.Weights, LinearZip.Dense(again.Model));
        foreach (var (before, after) in zip.Weights.Zip(LinearZip.Dense(again.Model)))
        {
            Assert.InRange(after.Where((_, t) => before[t] != 0).Distinct().Count(), 2, 1 << bits);
            Assert.All(after.Where((_, t) => before[t] == 0), w => Assert.Equal(0, w));
        }

        var (old, changed) = (Entries(zip.Bytes), Entries(bytes));
        Assert.Equal(old.Select(e => (e.Name, e.Bytes.Length, e.Time)), changed.Select(e => (e.Name, e.Bytes.Length, e.Time)));
        foreach (var (before, after) in old.Zip(changed))
        {
            // Floats alone may differ: those of the stored weights and biases.
            var differing = Enumerable.Range(0, before.Bytes.Length).Where(i => before.Bytes[i] != after.Bytes[i]).ToArray();
            var floats = model.Outputs.Where(o => o.Entry == before.Name.Replace('\\', '/')).SelectMany(o =>
                Enumerable.Range(o.BiasAt, 4).Concat(Enumerable.Range(o.WeightsAt, 4 * o.Weights.Count))).ToHashSet();
            Assert.All(differing, i => Assert.Contains(i, floats));
        }
    }

    [Theory]
    [InlineData("binary", 8, 0.01)]
    [InlineData("binary", 4, 0.10)]
    [InlineData("multiclass", 8, 0.01)]
    [InlineData("multiclass", 4, 0.10)]
    [InlineData("calibrated ova", 4, 0.10)]
    [InlineData("sparse multiclass", 4, 0.15)]
    [InlineData("sparse regression", 8, 0.01)]
    public void Scores_stay_close_and_their_mean_stays(string kind, int bits, double limit)
    {
        var zip = LinearZip.Of(kind);
        var (_, _, model) = Open(zip);
        var rows = LinearZip.Rows(800, 40);
        var quantized = LinearModelQuantizer.Quantize(model, rows[..(600 * 40)], new() { Bits = bits });
        var unseen = rows[(600 * 40)..];
        var expected = LinearZip.Score(zip.Weights, zip.Biases, unseen);
        var actual = LinearZip.Score(LinearZip.Dense(quantized.Model), [.. quantized.Model.Outputs.Select(o => o.Bias)], unseen);
        Assert.InRange(Spread(expected, actual), 0, limit);

        // The mean error over the calibration rows is the biases' to take up.
        var (a, b) = (LinearZip.Score(zip.Weights, zip.Biases, rows[..(600 * 40)]), LinearZip.Score(LinearZip.Dense(quantized.Model), [.. quantized.Model.Outputs.Select(o => o.Bias)], rows[..(600 * 40)]));
        for (var i = 0; i < zip.Biases.Length; i++)
        {
            var mean = Enumerable.Range(0, 600).Average(r => a[(r * zip.Biases.Length) + i] - b[(r * zip.Biases.Length) + i]);
            Assert.InRange(Math.Abs(mean), 0, 1e-4);
        }
    }

    [Fact]
    public void Features_of_very_different_size_are_rescaled()
    {
        var zip = LinearZip.Of("regression");
        var (saved, step, model) = Open(zip);
        var scales = (int t) => MathF.ScaleB(1, (t % 5) * 4);
        var scaled = saved.With(step, model.With([model.Outputs[0] with { Weights = [.. model.Outputs[0].Weights.Select((w, t) => w / scales(t))] }]));
        model = scaled.ReadLinear(scaled.Steps[2]);
        var rows = LinearZip.Rows(600, 40, scales);
        var quantized = LinearModelQuantizer.Quantize(model, rows, new() { Bits = 4 });
        Assert.True(Assert.Single(quantized.Report.Layers).InputsRescaled);
        var expected = LinearZip.Score(LinearZip.Dense(model), zip.Biases, rows);
        var actual = LinearZip.Score(LinearZip.Dense(quantized.Model), [.. quantized.Model.Outputs.Select(o => o.Bias)], rows);
        Assert.InRange(Spread(expected, actual), 0, 0.10);
    }

    [Theory]
    [InlineData(8, 0.55)]
    [InlineData(4, 0.30)]
    [InlineData(2, 0.20)]
    public void The_zip_becomes_smaller(int bits, double share)
    {
        var zip = LinearZip.Of("multiclass", features: 2000, classes: 10);
        var (saved, step, model) = Open(zip);
        var quantized = LinearModelQuantizer.Quantize(model, LinearZip.Rows(300, 2000), new() { Bits = bits, Algorithm = new Gpfq() });
        Assert.InRange(saved.With(step, quantized.Model).SizeInBytes, 1, share * saved.SizeInBytes);
    }

    [Fact]
    public void Many_features_are_cut_into_blocks_whose_products_add_up()
    {
        const int features = 2500;
        var zip = LinearZip.Of("binary", features);
        var (_, _, model) = Open(zip);
        var rows = LinearZip.Rows(300, features);
        var quantized = LinearModelQuantizer.Quantize(model, rows, new() { Bits = 4, Algorithm = new Gpfq(), ShortNames = true, Format = WeightFormat.Integer });
        var nearest = LinearModelQuantizer.Quantize(model, rows, new() { Bits = 4, Algorithm = new Msq() });
        Assert.Equal(
            ["LinearBinaryModelParameters features 0 to 2047", "LinearBinaryModelParameters features 2048 to 2499"],
            quantized.Report.Layers.Select(l => l.Name));
        var expected = LinearZip.Score(zip.Weights, zip.Biases, rows);
        Assert.InRange(Error(quantized), 0, 0.5 * Error(nearest));

        double Error(QuantizedLinearModel of) =>
            Spread(expected, LinearZip.Score(LinearZip.Dense(of.Model), [of.Model.Outputs[0].Bias], rows));
    }

    [Fact]
    public void The_same_rows_and_seed_give_the_same_bytes()
    {
        var zip = LinearZip.Of("entropy");
        Assert.Equal(Quantize(), Quantize());

        byte[] Quantize()
        {
            var (saved, step, model) = Open(zip);
            return saved.With(step, LinearModelQuantizer.Quantize(model, LinearZip.Rows(300, 40), new() { Bits = 3, Seed = 5 }).Model).ToBytes();
        }
    }

    [Fact]
    public void A_model_with_statistics_of_its_weights_is_left_alone()
    {
        var bytes = new ZipWriter().Chain("TransformerChain", 1).Prediction("TransformerChain/Transform_000", "BinaryPredXfer", "Features")
            .Key("TransformerChain/Transform_000/Model/ModelStats", "LinModStats", d => d.Write(1));
        LinearZip.Single(bytes, "TransformerChain/Transform_000/Model", "Linear2CExec", [1, -2, 0.5f], 0, sparse: false);
        var (_, _, model) = Open(bytes.ToBytes(), place: 0);
        Assert.Equal("it keeps statistics of its weights, which would no longer be theirs: train it without them", LinearModelQuantizer.Refuse(model, new()));
    }

    [Fact]
    public void Patterns_limits_and_zeros_leave_a_model_alone()
    {
        var (saved, step, model) = Open(LinearZip.Of("binary"));
        Assert.Null(LinearModelQuantizer.Refuse(model, new() { Include = ["Binary"] }));
        Assert.Equal("no include pattern matches its name", LinearModelQuantizer.Refuse(model, new() { Include = ["conv"] }));
        var kept = LinearModelQuantizer.Quantize(model, LinearZip.Rows(300, 40), new() { Bits = 2, MaxLayerError = 1e-9 });
        Assert.Empty(kept.Report.Layers);
        Assert.Equal(LinearZip.Dense(model), LinearZip.Dense(kept.Model));
        Assert.Equal(saved.ToBytes(), saved.With(step, kept.Model).ToBytes());

        var zip = new ZipWriter().Prediction("TransformerChain", "BinaryPredXfer", "Features");
        LinearZip.Single(zip, "TransformerChain/Model", "Linear2CExec", new float[40], 1, sparse: true);
        Assert.Equal("all of its weights are zero", LinearModelQuantizer.Refuse(Open(zip.ToBytes(), 0).Model, new()));
    }

    private static double Spread(double[] expected, double[] actual)
    {
        var mean = expected.Average();
        return Math.Sqrt(expected.Zip(actual, (a, b) => (a - b) * (a - b)).Sum() / expected.Sum(a => (a - mean) * (a - mean)));
    }

    private static (SavedModel Saved, SavedStep Step, SavedLinearModel Model) Open(LinearZip zip) => Open(zip.Bytes);

    private static (SavedModel Saved, SavedStep Step, SavedLinearModel Model) Open(byte[] bytes, int place = 2)
    {
        var saved = SavedModel.Parse(bytes);
        var step = saved.Steps[place];
        Assert.Equal(SavedStepKind.Linear, step.Kind);
        return (saved, step, saved.ReadLinear(step));
    }

    private static List<(string Name, byte[] Bytes, DateTimeOffset Time)> Entries(byte[] zip)
    {
        using var archive = new ZipArchive(new MemoryStream(zip), ZipArchiveMode.Read);
        return [.. archive.Entries.Select(e =>
        {
            using var stream = e.Open();
            using var bytes = new MemoryStream();
            stream.CopyTo(bytes);
            return (e.FullName, bytes.ToArray(), e.LastWriteTime);
        })];
    }
}
