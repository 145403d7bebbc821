using MLNetQuant.Algorithms;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Calibration;

public class DeterminismTests
{
    private static readonly OnnxModel Model = SmallNets.FourLayers().Build();
    private static readonly CalibrationData Data = CalibrationRows.Of(("x", new GraphBuilder(seed: 8).Rows(50, 3, 8, 8)));

    /// <summary>Convolutions have 50·36 and 50·16 rows, so that the rows are really sampled.</summary>
    private static readonly QuantizationOptions Options = new() { Bits = 4, RowsPerLayer = 500, BatchSize = 7, BiasCorrection = true };

    [Theory]
    [InlineData("msq")]
    [InlineData("gpfq")]
    [InlineData("spfq")]
    public void Runs_and_threads_write_the_same_bytes(string algorithm)
    {
        var options = Options with { Algorithm = WeightQuantizers.Parse(algorithm) };
        var first = Bytes(options with { Threads = 1 });
        foreach (var threads in new[] { 1, 2, 3, 0 })
            Assert.Equal(first, Bytes(options with { Threads = threads }));
    }

    [Fact]
    public async Task Runs_at_the_same_time_do_not_disturb_each_other()
    {
        var alone = Bytes(Options);
        var together = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => Bytes(Options))));
        Assert.All(together, bytes => Assert.Equal(alone, bytes));
    }

    [Fact]
    public void Groups_with_equal_weights_and_inputs_draw_their_own_random_numbers()
    {
        var b = new GraphBuilder();
        var (w, channel) = (b.Floats(64), b.Floats(50));
        var model = b.Input("x", "N,32,5").Constant("W", [.. w, .. w], 8, 16, 1).Node("Conv", "x,W", "y", ("group", 2L)).Output("y").Build();
        var image = Enumerable.Range(0, 16).SelectMany(c => channel.Skip(c).Take(5)).ToArray();
        var data = CalibrationRows.Of(("x", OnnxTensor.Create([.. image, .. image], 1, 32, 5)));
        sbyte[][] Groups(IWeightQuantizer algorithm) =>
        [
            .. ModelQuantizer.Quantize(model, data, new() { Bits = 4, Algorithm = algorithm }).Model.Proto.Graph.Initializer
                .Single(i => i.Name == "W_codes").RawData.Select(c => (sbyte)c).Chunk(64),
        ];
        Assert.Equal(Groups(new Gpfq())[0], Groups(new Gpfq())[1]);
        Assert.NotEqual(Groups(new Spfq())[0], Groups(new Spfq())[1]);
    }

    [Fact]
    public void Another_seed_gives_SPFQ_other_codes()
    {
        var options = Options with { Algorithm = new Spfq() };
        Assert.NotEqual(Codes(options with { Seed = 0 }), Codes(options with { Seed = 1 }));
    }

    [Fact]
    public void Another_seed_gives_GPFQ_other_rows_but_MSQ_the_same_codes()
    {
        Assert.NotEqual(Codes(Options with { Seed = 0 }), Codes(Options with { Seed = 1 }));
        var msq = Options with { Algorithm = new Msq(), BiasCorrection = false };
        Assert.Equal(Codes(msq with { Seed = 0 }), Codes(msq with { Seed = 1 }));
    }

    /// <summary>
    /// What the batch size changes: rows are drawn batch by batch, so a sampled layer sees other rows. Where every row
    /// is taken the batch size changes nothing but the order of sums: codes stay, up to ties of rounding.
    /// </summary>
    [Fact]
    public void The_batch_size_changes_which_rows_are_sampled_and_nothing_else()
    {
        var all = Options with { RowsPerLayer = int.MaxValue };
        var codes = Codes(all with { BatchSize = 7 });
        var others = Codes(all with { BatchSize = 50 });
        Assert.InRange(codes.Zip(others).Count(p => p.First != p.Second), 0, codes.Length / 500);
        Assert.NotEqual(Codes(Options with { BatchSize = 7 }), Codes(Options with { BatchSize = 50 }));
    }

    [Fact]
    public void Only_the_rows_asked_for_count()
    {
        var x = Data.Inputs["x"];
        var twenty = CalibrationRows.Of(("x", x.Rows(0, 20)));
        Assert.Equal(
            ModelQuantizer.Quantize(Model, twenty, Options).Model.ToBytes(),
            Bytes(Options with { Rows = 20 }));
    }

    private static byte[] Bytes(QuantizationOptions options) => ModelQuantizer.Quantize(Model, Data, options).Model.ToBytes();

    private static byte[] Codes(QuantizationOptions options) =>
    [
        .. ModelQuantizer.Quantize(Model, Data, options).Model.Proto.Graph.Initializer
            .Where(i => i.Name.EndsWith("_codes", StringComparison.Ordinal)).SelectMany(i => i.RawData),
    ];
}
