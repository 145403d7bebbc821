using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

internal static class TransformerChain
{
    public static void Save(ITransformerChainAccessor chain, ModelSaveContext ctx) =>
        throw Contracts.ExceptLacking("saving a chain");
}
