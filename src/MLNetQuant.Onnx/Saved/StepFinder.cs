namespace MLNetQuant.Onnx.Saved;

/// <summary>Walks the chains of a saved model.</summary>
internal static class StepFinder
{
    private const string Root = "TransformerChain";

    /// <exception cref="QuantizationException">The zip holds no model, or it is damaged.</exception>
    public static IReadOnlyList<SavedStep> Find(ModelZip zip, string model)
    {
        if (zip.FindKey(Root) is null)
        {
            throw new QuantizationException(
                $"The model '{model}' is no model that ML.NET saved (it has no entry '{ModelZip.KeyOf(Root)}'): give a file that ml.Model.Save wrote.");
        }

        var steps = new List<SavedStep>();
        Visit(Root);
        return steps;

        void Visit(string folder)
        {
            var key = zip.FindKey(folder)
                ?? throw new QuantizationException($"The model '{model}' lacks the step '{folder}': save the model again.");
            if (key.LoaderSignature == StepKinds.Chain)
            {
                var count = zip.Decode(folder, () => key.Open().ReadInt32());
                for (var i = 0; i < count; i++)
                    Visit($"{folder}/Transform_{i:000}");
            }
            else
            {
                steps.Add(Describe(zip, folder, key));
            }
        }
    }

    /// <summary>A chain's own data are the number of its steps and their scopes.</summary>
    /// <exception cref="QuantizationException">The chain is damaged.</exception>
    public static IReadOnlyList<int> ReadScopes(ModelZip zip)
    {
        var key = zip.FindKey(Root)!;
        return key.LoaderSignature != StepKinds.Chain ? [] : zip.Decode(Root, () =>
        {
            using var data = key.Open();
            var scopes = new List<int>();
            for (var i = data.ReadInt32(); i > 0; i--)
                scopes.Add(data.ReadInt32());
            return scopes;
        });
    }

    private static SavedStep Describe(ModelZip zip, string folder, ModelKey key)
    {
        if (key.LoaderSignature == StepKinds.Onnx)
            return new(folder, StepKinds.Onnx, "OnnxTransformer") { Kind = SavedStepKind.Onnx };
        if (!StepKinds.Predicts(key.LoaderSignature))
            return StepKinds.Describe(folder, key.LoaderSignature);
        var predictor = LinearFormat.Predictors(zip, folder);
        return predictor.IsLinear
            ? new(folder, predictor.LoaderSignature, predictor.TypeName) { Kind = SavedStepKind.Linear }
            : StepKinds.Describe(folder, predictor.LoaderSignature) with { Kind = SavedStepKind.Other };
    }
}
