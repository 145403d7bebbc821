using MLNetQuant.Grids;

namespace MLNetQuant.Benchmarks.Accuracy;

/// <summary>What <c>best</c> is to reach: for top-1 at least, for the loss of the next token at most.</summary>
internal static class AccuracyLimits
{
    /// <summary>The limit in the metric's own unit, or null where none was set.</summary>
    public static double? Of(string model, Configuration configuration) => (model, configuration) switch
    {
        ("fmnist_mlp", (4 or 3, 0, ZeroPointRule.None)) => 0.891,
        ("fmnist_mlp", (2, 0, ZeroPointRule.None)) => 0.888,
        ("fmnist_cnn", (4, 0, ZeroPointRule.None)) => 0.910,
        ("fmnist_cnn", (3, 0, ZeroPointRule.None)) => 0.908,
        ("fmnist_cnn", (2, 0, ZeroPointRule.None)) => 0.903,
        ("fmnist_vit", (4 or 3, 0, ZeroPointRule.None)) => 0.889,
        ("fmnist_vit", (2, 0, ZeroPointRule.None)) => 0.885,
        ("stories260k", (4, 0, ZeroPointRule.None)) => 1.365,
        ("stories260k", (3, 0, ZeroPointRule.None)) => 1.63,
        ("stories260k", (2, 0, ZeroPointRule.None)) => 2.75,
        ("stories260k", (4, 32, not ZeroPointRule.None)) => 1.34,
        ("stories260k", (3, 32, not ZeroPointRule.None)) => 1.53,
        ("stories260k", (2, 32, not ZeroPointRule.None)) => 2.55,
        _ => null,
    };
}
