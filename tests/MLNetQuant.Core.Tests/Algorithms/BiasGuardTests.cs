using MLNetQuant.Algorithms;
using MLNetQuant.Numerics;

namespace MLNetQuant.Tests.Algorithms;

public class BiasGuardTests
{
    private const double None = double.PositiveInfinity;

    [Theory]
    // XW and X̃Q of one neuron before a ReLU, the mean error being given.
    [InlineData(BiasChoice.Full, new[] { 2f, 3f, 4f }, new[] { 1f, 2f, 3f }, 1.0, 0.0)] // always active
    [InlineData(BiasChoice.Half, new[] { 2f, 3f, -9f }, new[] { 1f, 2f, -14f }, 2.0, 1e-9)] // where it is silent the error is five times as large
    [InlineData(BiasChoice.None, new[] { 2f, -1f, -1f }, new[] { 2f, -4f, -4f }, 2.0, 0.0)] // right wherever it is active
    [InlineData(BiasChoice.ActiveMean, new[] { 2f, 4f, -1f, -1f }, new[] { 1.5f, 3.5f, -9f, -9f }, 4.25, 0.0)]
    [InlineData(BiasChoice.HalfActiveMean, new[] { 4f, -1f, -1f, -1f }, new[] { 2f, -0.5f, -0.5f, -0.5f }, 0.125, 1.75)]
    public void Each_choice_wins_where_it_leaves_the_least_error_after_the_activation(
        BiasChoice choice, float[] expected, float[] actual, double full, double error)
    {
        var guarded = BiasGuard.Choose(Column(expected), Column(actual), [full], [0], [None]);
        Assert.Equal(choice, Assert.Single(guarded.Choices));
        Assert.Equal(error, guarded.Error, 1e-6);
        Assert.Equal(error, expected.Zip(actual).Sum(p => Math.Pow(Math.Max(0, p.First) - Math.Max(0, p.Second + guarded.Shift[0]), 2)), 1e-6);
    }

    [Fact]
    public void Ties_go_to_the_full_mean_and_both_ends_count()
    {
        // Never active: no choice matters on these rows.
        var silent = BiasGuard.Choose(Column([-5f, -6f]), Column([-6f, -7f]), [1], [0], [None]);
        Assert.Equal((BiasChoice.Full, 1.0), (silent.Choices[0], silent.Shift[0]));
        // Above the upper end nothing is seen of a large error.
        var above = BiasGuard.Choose(Column([1f, 9f]), Column([1f, 19f]), [-5], [0], [6]);
        Assert.Equal((BiasChoice.None, 0.0), (above.Choices[0], above.Error));
    }

    [Fact]
    public void Neurons_choose_by_themselves()
    {
        var expected = new Matrix<float>(3, 2, [2, 2, 3, -1, 4, -1]);
        var actual = new Matrix<float>(3, 2, [1, 2, 2, -4, 3, -4]);
        var guarded = BiasGuard.Choose(expected, actual, [1, 2], [0, 0], [None, None]);
        Assert.Equal([BiasChoice.Full, BiasChoice.None], guarded.Choices);
        Assert.Equal([1.0, 0.0], guarded.Shift);
    }

    [Fact]
    public void Other_shapes_are_refused()
    {
        Assert.Contains("so X̃Q must be as well, not 2×1", Assert.Throws<ArgumentException>(
            () => BiasGuard.Choose(Column([1f]), Column([1f, 2f]), [0], [0], [0])).Message, StringComparison.Ordinal);
        Assert.Contains("There are 1 outputs, but 2 mean errors", Assert.Throws<ArgumentException>(
            () => BiasGuard.Choose(Column([1f]), Column([1f]), [0, 0], [0], [0])).Message, StringComparison.Ordinal);
    }

    private static Matrix<float> Column(float[] values) => new(values.Length, 1, values);
}
