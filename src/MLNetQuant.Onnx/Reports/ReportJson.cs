using System.Text.Json.Serialization;

namespace MLNetQuant;

/// <summary>How reports become JSON.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(QuantizationReport))]
[JsonSerializable(typeof(QuantizationEstimate))]
[JsonSerializable(typeof(ModelInspection))]
[JsonSerializable(typeof(ModelComparison))]
[JsonSerializable(typeof(SavedModelInspection))]
[JsonSerializable(typeof(SavedModelComparison))]
internal sealed partial class ReportJson : JsonSerializerContext;
