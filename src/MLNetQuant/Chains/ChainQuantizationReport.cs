using System.Text.Json;
using System.Text.Json.Serialization;

namespace MLNetQuant;

/// <summary>What became of the steps of a trained model.</summary>
public sealed record ChainQuantizationReport
{
    /// <summary>The steps whose weights were quantized, in order.</summary>
    public required IReadOnlyList<QuantizedStep> Quantized { get; init; }

    /// <summary>
    /// The steps that were learned and keep their weights, in order, and why; steps that have nothing to learn are not listed.
    /// </summary>
    public required IReadOnlyList<UnquantizedStep> LeftAlone { get; init; }

    /// <summary>Bytes that the quantized steps took in a saved model before.</summary>
    public long FloatBytes => Quantized.Sum(s => s.FloatBytes);

    /// <summary>Bytes that they take now.</summary>
    public long QuantizedBytes => Quantized.Sum(s => s.QuantizedBytes);

    /// <summary>The report as indented JSON, names in camelCase.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ChainReportJson.Default.ChainQuantizationReport);
}

/// <summary>A step whose weights were quantized.</summary>
/// <param name="Position">Its place in the chain, counted from 1; in a nested chain "2.1".</param>
/// <param name="TypeName">What ML.NET calls the step, or the model in it.</param>
/// <param name="FloatBytes">Bytes that the step took in a saved model, packed, before.</param>
/// <param name="QuantizedBytes">Bytes that it takes now.</param>
/// <param name="Report">What was done, layer by layer, with the measured error of each.</param>
public sealed record QuantizedStep(
    string Position, string TypeName, long FloatBytes, long QuantizedBytes, QuantizationReport Report);

/// <summary>A step that keeps its weights.</summary>
/// <param name="Position">Its place in the chain, counted from 1; in a nested chain "2.1".</param>
/// <param name="TypeName">What ML.NET calls the step, or the model in it.</param>
/// <param name="Reason">Why, in one clause.</param>
public sealed record UnquantizedStep(string Position, string TypeName, string Reason);

/// <summary>How the report becomes JSON.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(ChainQuantizationReport))]
internal sealed partial class ChainReportJson : JsonSerializerContext;
