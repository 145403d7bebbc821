using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Algorithms;

public class PathKernelTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Threads_panels_and_lazy_batches_change_no_bit(bool errorFeedback)
    {
        var feedback = errorFeedback ? Feedback.Error : Feedback.Value;
        var data = Data.Random(new(1), rows: 90, inputs: 203, outputs: 150, drift: 0);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var (p, s, _, _) = GreedyPath.Build(problem, "gpfq", new());
        var grid = new GridRecipe(Alphabet.OfBits(4), Granularity.PerBlock(32), ScaleRule.AbsMax).Fit(problem.Weights);
        var expected = Follow(new(Threads: 1, PanelLanes: 160, LazyBatchSize: 208));
        foreach (var threads in new[] { 1, 2, 4 })
        {
            foreach (var panel in new[] { 0, 16, 48, 128 })
            {
                foreach (var batch in new[] { 8, 24, 64 })
                {
                    var actual = Follow(new(threads, panel, batch));
                    Near.SameBits(expected.V, actual.V);
                    Assert.Equal(expected.Codes.Data, actual.Codes.Data);
                    Assert.Equal(expected.Clipped, actual.Clipped);
                }
            }
        }

        (Matrix<double> V, Matrix<sbyte> Codes, long Clipped) Follow(PathOptions options)
        {
            var (v, codes) = (new Matrix<double>(203, 150), new Matrix<sbyte>(203, 150));
            var clipped = PathKernel.Run(p, s, new RecordingRounding(new(grid, codes), v), feedback, options);
            return (v, codes, clipped);
        }
    }

    [Fact]
    public void Each_neuron_follows_its_own_path()
    {
        var data = Data.Random(new(2), rows: 30, inputs: 40, outputs: 50, drift: 0.3);
        var recipe = new GridRecipe(Alphabet.OfBits(4), Granularity.PerChannel, ScaleRule.Mse);
        var whole = new Gpfq().Quantize(new(data.Weights(), data.Statistics()), recipe, new());
        for (var i = 0; i < 50; i += 7)
        {
            var neuron = data with { W = Matrices.Unwrap(data.Weights().SelectColumns(i, 1)) };
            var alone = new Gpfq().Quantize(new(neuron.Weights(), neuron.Statistics()), recipe, new());
            Assert.Equal(whole.Codes.SelectColumns(i, 1).Data, alone.Codes.Data);
        }
    }

    [Fact]
    public void Feeds_back_the_value_that_single_precision_gives()
    {
        // code · scale is not a float here; the second argument shows which value was fed back.
        const float Scale = 0.1f;
        var p = new Matrix<double>(2, 1, [0.7, 0]);
        var s = new PackedRows(new(2, 2, [0, 0, 1, 0]), MatrixPart.StrictLower);
        var (v, codes) = RecordingRounding.Follow(p, s, Feedback.Value, Uniform.Grid(2, 1, Scale, -8, 7));
        Assert.Equal(7, codes[0, 0]);
        Assert.NotEqual(-7 * (double)Scale, -(double)(7 * Scale));
        Assert.Equal(-(double)(7 * Scale), v[1, 0]);
    }

    [Theory]
    [InlineData("msq")]
    [InlineData("gpfq")]
    [InlineData("spfq")]
    public void Cancellation_stops_it(string name)
    {
        var data = Data.Random(new(3), rows: 10, inputs: 20, outputs: 5, drift: 0.3);
        using var source = new CancellationTokenSource();
        source.Cancel();
        var recipe = new GridRecipe(Alphabet.OfBits(4), Granularity.PerChannel, ScaleRule.Mse);
        Assert.ThrowsAny<OperationCanceledException>(() => WeightQuantizers.Parse(name).Quantize(
            new(data.Weights(), data.Statistics()), recipe, new() { CancellationToken = source.Token }));
    }

    [Fact]
    public void Cancellation_while_it_runs_stops_it_between_blocks()
    {
        using var source = new CancellationTokenSource();
        var (p, s) = (new Matrix<double>(1000, 40), new PackedRows(new(1000, 1000), MatrixPart.StrictLower));
        var rule = new CancellingRounding(source, atInput: 500, new int[1]);
        Assert.ThrowsAny<OperationCanceledException>(() => PathKernel.Run(
            p, s, rule, Feedback.Value, new(Threads: 1, CancellationToken: source.Token)));
        Assert.InRange(rule.LastInput[0], 500, 600);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(12)]
    public void Refuses_a_lazy_batch_that_is_not_whole_tiles(int size) => Assert.StartsWith(
        $"The lazy batch size is {size}; it must be a positive multiple of 8.",
        Assert.Throws<ArgumentException>(() => PathKernel.Run(
            new(1, 1), null, new NoRounding(new(1, 1)), Feedback.Value, new(LazyBatchSize: size))).Message);

    private readonly struct CancellingRounding(CancellationTokenSource source, int atInput, int[] lastInput) : IRoundingRule
    {
        public int[] LastInput => lastInput;

        public int Round(int input, int firstOutput, Span<double> lanes)
        {
            lastInput[0] = input;
            if (input == atInput)
                source.Cancel();
            return 0;
        }
    }
}
