using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant;

/// <summary>What ML.NET, which has no type for numbers of 16 bits, cannot open; ONNX Runtime itself can.</summary>
internal static class HalfPrecisionWarnings
{
    /// <summary>A sentence where the written model has such inputs, outputs or initializers.</summary>
    public static IEnumerable<string> Of(ModelProto written)
    {
        string[] values = [.. written.Graph.Input.Concat(written.Graph.Output).Where(HalfConstants.IsHalf).Select(v => $"'{v.Name}'").Distinct()];
        if (values.Length > 0)
        {
            yield return $"ML.NET cannot open this model, ONNX Runtime can: {Listed(values)} are float16 or bfloat16; convert the model with float32 inputs and outputs for ML.NET.";
            yield break;
        }

        string[] constants = [.. written.Graph.Initializer.Where(i => HalfPrecision.Is(i.DataType)).Select(i => $"'{i.Name}'")];
        if (constants.Length > 0)
            yield return $"ML.NET cannot open this model, ONNX Runtime can: the constants {Listed(constants)} are float16 or bfloat16, and are inputs too or come from a data file; convert them to float32 for ML.NET.";
    }

    private static string Listed(string[] names) =>
        names.Length <= 3 ? string.Join(", ", names) : $"{string.Join(", ", names.Take(3))} and {names.Length - 3} others";
}
