using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Tests.Oracles;

namespace MLNetQuant.Tests.Algorithms;

/// <summary>Every algorithm gives the same bits on any number of threads and any cut of the work.</summary>
public class DeterminismTests
{
    public static TheoryData<string> Algorithms =>
    [
        "msq", "gpfq", "gpfq descending", "gpfq soft", "spfq", "spfq order 3", "spfq perfect", "spfq unlimited", "spfq guaranteed", "unified", "unified prune", "msq-preprocessed", "optq", "qronos", "qronos original", "beacon", "adaround", "best", "best thorough",
    ];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Threads_panels_and_lazy_batches_change_no_bit(string name)
    {
        var data = Data.Random(new(1), rows: 90, inputs: 147, outputs: 83, drift: 0.3);
        var problem = new LayerProblem(data.Weights(), data.Statistics());
        var recipe = new GridRecipe(Alphabet.OfBits(4), Granularity.PerBlock(32), ScaleRule.Mse) { ZeroPoint = ZeroPointRule.Range };
        var algorithm = Named(name);
        var expected = algorithm.Quantize(problem, recipe, new() { Seed = 7, Threads = 1, PanelLanes = 96, LazyBatchSize = 152 });
        foreach (var threads in new[] { 1, 2, 4 })
        {
            foreach (var panel in new[] { 0, 16, 48 })
            {
                // A stronger rule than asked of other block sizes, which may move codes at ties: nothing moves.
                var batch = 8 * (threads + (panel / 16));
                var actual = algorithm.Quantize(
                    problem, recipe, new() { Seed = 7, Threads = threads, PanelLanes = panel, LazyBatchSize = batch });
                Assert.Equal(expected.Codes.Data, actual.Codes.Data);
                Assert.Equal(expected.Grid.Scales.Data, actual.Grid.Scales.Data);
                Assert.Equal(expected.Clipped, actual.Clipped);
            }
        }
    }

    private static IWeightQuantizer Named(string name) => name switch
    {
        "gpfq descending" => new Gpfq(new() { InputOrder = InputOrder.Descending }),
        "gpfq soft" => new Gpfq(new() { Sparsity = Sparsity.Soft }),
        "spfq order 3" => new Spfq(new() { Order = 3, InputOrder = InputOrder.Descending }),
        "spfq perfect" => new Spfq(new() { Alignment = SpfqAlignment.Perfect }),
        "spfq unlimited" => new Spfq(new() { Levels = SpfqLevels.Unlimited }),
        "spfq guaranteed" => new Spfq(new() { Levels = SpfqLevels.Guaranteed }),
        "unified prune" => new UnifiedStochastic(new() { Operator = StochasticOperator.PruneAndQuantize, Scaling = 2 }),
        "best thorough" => new Best(new() { Effort = Effort.Thorough }),
        "adaround" => new AdaRound(new() { Iterations = 60 }),
        "qronos original" => new Qronos(new() { Form = QronosForm.Original }),
        _ => WeightQuantizers.Parse(name),
    };
}
