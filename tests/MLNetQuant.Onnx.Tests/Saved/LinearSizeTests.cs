using System.Collections;

namespace MLNetQuant.Onnx.Tests.Saved;

/// <summary>Models of more features than memory holds: their sizes are computed, and nothing of them is allocated.</summary>
public sealed class LinearSizeTests
{
    [Theory]
    [InlineData(1_000_000, 1, 0, 256)]
    [InlineData(20_000, 50, 0, 1677)]
    [InlineData(20_000, 0, 2_000, 256)]
    [InlineData(100, 1, 0, 335_544)]
    public void Rows_are_as_many_as_a_quarter_of_a_gigabyte_holds_and_256_at_least(int features, int dense, int sparse, int rows) =>
        Assert.Equal(rows, LinearModelQuantizer.MostRows(Model(features, dense, sparse, 300)));

    [Theory]
    [InlineData(int.MaxValue, 0, 1, 1, "549,755,813,888")]
    [InlineData(8_388_608, 1, 0, 0, "4,294,967,296")]
    [InlineData(1_000_000, 0, 10_000, 1_000_000, "2,560,256,000,000")]
    public void A_model_whose_features_exceed_memory_is_left_alone(int features, int dense, int sparse, int weights, string numbers) => Assert.Equal(
        $"the features of its outputs are {numbers} numbers on 256 rows, and there is room for 1,073,741,824: train it on fewer features, or allow fewer rows",
        LinearModelQuantizer.Refuse(Model(features, dense, sparse, weights), new()));

    [Fact]
    public void Rows_that_the_options_allow_are_the_rows_that_count() => Assert.Contains(
        "are 21,474,836,480 numbers on 10 rows",
        LinearModelQuantizer.Refuse(Model(int.MaxValue, 0, 1, 1), new() { Rows = 10 }),
        StringComparison.Ordinal);

    private static SavedLinearModel Model(int features, int dense, int sparse, int weights) => new("Model", "Features", [
        .. Enumerable.Repeat(new LinearOutput { FeatureCount = features, Bias = 0, Weights = [] }, dense),
        .. Enumerable.Repeat(new LinearOutput { FeatureCount = features, Bias = 0, Weights = [], Features = new Counted(weights) }, sparse),
    ]);

    /// <summary>A list that has a length alone.</summary>
    private sealed class Counted(int count) : IReadOnlyList<int>
    {
        public int Count => count;

        public int this[int index] => throw new NotSupportedException();

        public IEnumerator<int> GetEnumerator() => throw new NotSupportedException();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
