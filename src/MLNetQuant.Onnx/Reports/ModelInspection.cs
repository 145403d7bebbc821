using System.Text.Json;

namespace MLNetQuant;

/// <summary>What a model holds and what would be quantized.</summary>
public sealed record ModelInspection
{
    /// <summary>IR version of the file.</summary>
    public required long IrVersion { get; init; }

    /// <summary>Operator set versions, by domain ("ai.onnx" for the default one).</summary>
    public required IReadOnlyDictionary<string, long> Opsets { get; init; }

    /// <summary>Bytes of the file.</summary>
    public required long Bytes { get; init; }

    /// <summary>Graph inputs, for example <c>input float32[N,784]</c>.</summary>
    public required IReadOnlyList<string> Inputs { get; init; }

    /// <summary>Graph outputs.</summary>
    public required IReadOnlyList<string> Outputs { get; init; }

    /// <summary>Layers that can be quantized, in graph order.</summary>
    public required IReadOnlyList<InspectedLayer> Layers { get; init; }

    /// <summary>Nodes with constant weights that cannot be quantized, and why.</summary>
    public required IReadOnlyList<SkippedLayer> Skipped { get; init; }

    /// <summary>The inspection as indented JSON, names in camelCase.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Default.ModelInspection);
}

/// <summary>A layer that can be quantized.</summary>
/// <param name="Name">The node's name.</param>
/// <param name="Op">ONNX operator.</param>
/// <param name="Weight">Name of the weight initializer.</param>
/// <param name="Shape">Shape of the weight as stored.</param>
/// <param name="Inputs">Inputs of each output.</param>
/// <param name="Outputs">Outputs, over all groups.</param>
/// <param name="Groups">Groups; each is a matrix problem of its own.</param>
/// <param name="Weights">Number of weights.</param>
public sealed record InspectedLayer(
    string Name, string Op, string Weight, IReadOnlyList<long> Shape, int Inputs, int Outputs, int Groups, long Weights);
