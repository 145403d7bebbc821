using System.Text.Json;

namespace MLNetQuant;

/// <summary>Two models that ML.NET saved, step by step on the same rows.</summary>
/// <param name="Steps">The ONNX steps and linear models, in order.</param>
public sealed record SavedModelComparison(IReadOnlyList<StepComparison> Steps)
{
    /// <summary>The comparison as indented JSON, names in camelCase.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Default.SavedModelComparison);
}

/// <summary>One step of two saved models.</summary>
/// <param name="Folder">Where it stands in the zip.</param>
/// <param name="TypeName">What ML.NET calls the step, or the model in it.</param>
/// <param name="Comparison">The error of each output; <see langword="null"/> where it was not compared.</param>
/// <param name="NotCompared">Why it was not compared, in one clause; <see langword="null"/> where it was.</param>
public sealed record StepComparison(string Folder, string TypeName, ModelComparison? Comparison, string? NotCompared);
