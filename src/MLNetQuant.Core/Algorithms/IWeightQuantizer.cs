using MLNetQuant.Grids;

namespace MLNetQuant.Algorithms;

/// <summary>An algorithm that rounds the weights of one layer.</summary>
public interface IWeightQuantizer
{
    /// <summary>Its short name, in lower case: "gpfq".</summary>
    string Name { get; }

    /// <summary>Whether it needs G = X̃ᵀX, so that the statistics must be accumulated with it.</summary>
    bool NeedsCrossGram { get; }

    /// <summary>Whether it judges by rows held back (<see cref="LayerProblem.HeldBack"/>), so that some should be.</summary>
    bool UsesHeldBackRows => false;

    /// <summary>
    /// The form of this algorithm that works on the calibration rows themselves, for layers with so many inputs that no matrix
    /// of inputs × inputs can be held (<see cref="Statistics.LayerStatistics.AreRowsAlone"/>); null where there is none.
    /// </summary>
    IWeightQuantizer? OnRowsAlone => null;

    /// <summary>Rounds the weights.</summary>
    /// <param name="problem">Weights and statistics of the layer.</param>
    /// <param name="recipe">How the grid is made.</param>
    /// <param name="context">Seed, place of the layer, threads, cancellation.</param>
    /// <exception cref="ArgumentException">Statistics without G where it is needed, weights that are not finite, or a
    /// fixed grid of another shape.</exception>
    /// <exception cref="OperationCanceledException">The context's token was cancelled.</exception>
    QuantizedWeights Quantize(LayerProblem problem, GridRecipe recipe, QuantizationContext context);
}
