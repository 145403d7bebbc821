using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Onnx;

namespace Microsoft.ML;

/// <summary>Which saved steps can be loaded, by the signature of their loaders.</summary>
internal static class SavedSteps
{
    private static readonly Dictionary<string, Func<IHostEnvironment, ModelLoadContext, ITransformer>> Loaders = new()
    {
        [TransformerChain.LoaderSignature] = TransformerChain.Load,
        [TransformerSaving.CopyingSignature] = TransformerSaving.LoadCopying,
        [TransformerSaving.ConcatenatingSignature] = TransformerSaving.LoadConcatenating,
        [TransformerSaving.SelectingSignature] = TransformerSaving.LoadSelecting,
        [OnnxTransformer.LoaderSignature] = OnnxTransformer.Load,
    };

    /// <exception cref="NotSupportedException">The step is of a kind that only the public library has.</exception>
    public static ITransformer Load(IHostEnvironment env, ModelLoadContext ctx) =>
        Loaders.TryGetValue(ctx.Header.LoaderSignature, out Func<IHostEnvironment, ModelLoadContext, ITransformer> load)
            ? load(env, ctx)
            : throw Contracts.ExceptLacking($"loading the step '{ctx.Header.LoaderSignature}'");
}
