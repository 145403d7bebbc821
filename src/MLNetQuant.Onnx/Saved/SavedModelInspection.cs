using System.Text.Json;
using System.Text.Json.Serialization;

namespace MLNetQuant;

/// <summary>What a model that ML.NET saved holds.</summary>
public sealed record SavedModelInspection
{
    /// <summary>Bytes of the zip.</summary>
    public required long Bytes { get; init; }

    /// <summary>Its steps in order, those of nested chains in the place of the chain.</summary>
    public required IReadOnlyList<InspectedStep> Steps { get; init; }

    /// <summary>The inspection as indented JSON, names in camelCase.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Default.SavedModelInspection);
}

/// <summary>A step of a saved model.</summary>
/// <param name="Folder">Where it stands in the zip.</param>
/// <param name="TypeName">What ML.NET calls the step, or the model in it.</param>
/// <param name="Kind">What can be done with its weights.</param>
/// <param name="Weights">Its weights, where it is an ONNX step or a linear model; else 0.</param>
/// <param name="LeftAlone">Why its weights are left alone; <see langword="null"/> where they can be quantized, or where it has none.</param>
/// <param name="Onnx">What its ONNX model holds; <see langword="null"/> where it has none.</param>
public sealed record InspectedStep(
    string Folder,
    string TypeName,
    [property: JsonConverter(typeof(JsonStringEnumConverter<Onnx.SavedStepKind>))] Onnx.SavedStepKind Kind,
    long Weights,
    string? LeftAlone,
    ModelInspection? Onnx);
