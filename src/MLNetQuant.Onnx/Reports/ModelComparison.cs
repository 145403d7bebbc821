using System.Text.Json;

namespace MLNetQuant;

/// <summary>Two models on the same rows.</summary>
/// <param name="Rows">Rows compared.</param>
/// <param name="Outputs">The error of each output.</param>
public sealed record ModelComparison(int Rows, IReadOnlyList<OutputError> Outputs)
{
    /// <summary>The comparison as indented JSON, names in camelCase.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Default.ModelComparison);
}
