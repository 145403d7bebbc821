using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetQuant.Batching;

/// <summary>The steps of a chain that take part in scoring.</summary>
internal static class ScoringSteps
{
    /// <summary>The steps, or null for what is no chain.</summary>
    public static IEnumerable<ITransformer>? Of(ITransformer model)
    {
        if (model is TransformerChain<ITransformer> chain)
            return chain.GetModelFor(TransformerScope.Scoring);

        // A fitted chain is typed by its last step, which may be anyone's: no cast reaches the method.
        var type = model.GetType();
        return type.IsGenericType && type.GetGenericTypeDefinition() == typeof(TransformerChain<>)
            ? (TransformerChain<ITransformer>)type.GetMethod(nameof(chain.GetModelFor))!.Invoke(model, [TransformerScope.Scoring])!
            : null;
    }
}
