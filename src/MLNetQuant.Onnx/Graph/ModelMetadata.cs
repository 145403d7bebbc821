using System.Globalization;
using System.Reflection;

namespace MLNetQuant.Onnx.Graph;

/// <summary>What a quantized file says of its origin.</summary>
internal static class ModelMetadata
{
    /// <summary>The key that every quantized file has.</summary>
    public const string VersionKey = "mlnetquant.version";

    /// <param name="model">The float model.</param>
    /// <param name="options">How it is quantized.</param>
    /// <param name="rows">Calibration rows.</param>
    public static IReadOnlyDictionary<string, string> Of(OnnxModel model, QuantizationOptions options, int rows) => new Dictionary<string, string>
    {
        [VersionKey] = typeof(ModelMetadata).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0],
        ["mlnetquant.algorithm"] = options.Algorithm.Name,
        ["mlnetquant.bits"] = options.Bits.ToString(CultureInfo.InvariantCulture),
        ["mlnetquant.seed"] = options.Seed.ToString(CultureInfo.InvariantCulture),
        ["mlnetquant.rows"] = rows.ToString(CultureInfo.InvariantCulture),
        ["mlnetquant.source.sha256"] = model.Sha256,
    };
}
