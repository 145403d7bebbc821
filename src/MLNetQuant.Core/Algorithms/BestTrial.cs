using MLNetQuant.Refinement;

namespace MLNetQuant.Algorithms;

/// <summary>An algorithm with its refinements so far, judged.</summary>
/// <param name="Algorithm">The algorithm.</param>
/// <param name="Path">What it returned, its steps searched or not.</param>
/// <param name="Weights">That, re-rounded and refitted.</param>
/// <param name="Error">The judged error.</param>
internal sealed record BestTrial(PathFollowing Algorithm, QuantizedWeights Path, QuantizedWeights Weights, double Error)
{
    /// <summary>What a search for the steps has kept so far; null without one.</summary>
    public BestOfRuns? Runs { get; init; }

    /// <summary>Whether zero points were tried and are kept.</summary>
    public bool HasZeroPoints { get; init; }

    /// <summary>Rounds of coordinate descent and scale refit.</summary>
    public int Rounds { get; init; }

    /// <summary>The recipe in words: "qronos+steps+zero points+descent".</summary>
    public string Recipe =>
        $"{Algorithm.Name}{(Runs is null ? "" : "+steps")}{(HasZeroPoints ? "+zero points" : "")}{(Rounds > 0 ? "+descent" : "")}";
}
