namespace MLNetQuant.Chains;

/// <summary>What the type of a step says of it, where saving it would be dear or impossible.</summary>
internal static class StepTypes
{
    /// <summary>Why a step of this type is left alone, in one clause; null where its type does not decide.</summary>
    public static string? ReasonToLeaveAlone(Type type)
    {
        var name = type.FullName ?? type.Name;
        return name.Contains("TorchSharp", StringComparison.Ordinal) ? "it holds a TorchSharp model: export it to ONNX to quantize it"
            : name.Contains("TensorFlow", StringComparison.Ordinal) || name.Contains("Microsoft.ML.Vision", StringComparison.Ordinal)
                ? "it holds a TensorFlow model: export it to ONNX to quantize it"
            : null;
    }

    /// <summary>Whether a step runs code of the application; it may lack the name that saving it takes.</summary>
    public static bool HasNoParameters(Type type) => type.Name.StartsWith("CustomMappingTransformer", StringComparison.Ordinal);
}
