using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

namespace Microsoft.ML;

internal static class TransformerSaving
{
    public static void Save(ColumnCopyingTransformer transformer, ModelSaveContext ctx) =>
        throw Contracts.ExceptLacking("saving a column copy");

    public static void Save(ColumnConcatenatingTransformer transformer, ModelSaveContext ctx) =>
        throw Contracts.ExceptLacking("saving a concatenation");

    public static void Save(ColumnSelectingTransformer transformer, ModelSaveContext ctx) =>
        throw Contracts.ExceptLacking("saving a column selection");
}
