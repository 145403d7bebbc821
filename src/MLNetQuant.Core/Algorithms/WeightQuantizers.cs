using MLNetQuant.Refinement;

namespace MLNetQuant.Algorithms;

/// <summary>The algorithms by name.</summary>
public static class WeightQuantizers
{
    /// <summary>All names that <see cref="Parse"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } = ["best", "qronos", "optq", "gpfq", "spfq", "unified", "beacon", "adaround", "msq", "msq-preprocessed"];

    /// <summary>The algorithm of this name with its default options; upper and lower case are the same.</summary>
    /// <exception cref="FormatException">No such algorithm.</exception>
    public static IWeightQuantizer Parse(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.ToUpperInvariant() switch
        {
            "BEST" => new Best(),
            "QRONOS" => new Qronos(),
            "OPTQ" => new Optq(),
            "GPFQ" => new Gpfq(),
            "SPFQ" => new Spfq(),
            "UNIFIED" => new UnifiedStochastic(),
            "BEACON" => new Beacon(),
            "ADAROUND" => new AdaRound(),
            "MSQ" => new Msq(),
            "MSQ-PREPROCESSED" => new PreprocessedMsq(),
            _ => throw new FormatException($"\"{name}\" is not an algorithm; use {string.Join(", ", Names.SkipLast(1))} or {Names[^1]}."),
        };
    }
}
