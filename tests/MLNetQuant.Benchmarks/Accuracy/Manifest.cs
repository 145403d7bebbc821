using System.Security.Cryptography;
using System.Text.Json;
using MLNetQuant.Onnx;

namespace MLNetQuant.Benchmarks.Accuracy;

/// <summary>The models and data of the folder "shared" beside the repository, which only some machines have.</summary>
internal sealed class Manifest
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private readonly string _folder;

    private Manifest(string folder, IReadOnlyList<ManifestModel> models)
    {
        _folder = folder;
        Models = models;
    }

    public IReadOnlyList<ManifestModel> Models { get; }

    /// <summary>Reads manifest.json.</summary>
    /// <param name="folder">The folder it lies in; files are named relative to it.</param>
    /// <exception cref="AccuracyException">It is absent or cannot be read.</exception>
    public static Manifest Load(string folder)
    {
        var file = System.IO.Path.Combine(folder, "manifest.json");
        if (!System.IO.File.Exists(file))
            throw new AccuracyException("There is no ../shared/manifest.json: put the folder with the real models and their data beside the repository.");
        try
        {
            using var stream = System.IO.File.OpenRead(file);
            var content = JsonSerializer.Deserialize<Content>(stream, Json);
            return new(folder, content?.Models ?? throw new AccuracyException("manifest.json lists no models: restore the file."));
        }
        catch (JsonException e)
        {
            throw new AccuracyException($"manifest.json cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The models of these names, in the order of the names.</summary>
    /// <exception cref="AccuracyException">A name is not in the manifest.</exception>
    public IReadOnlyList<ManifestModel> Select(IEnumerable<string> names) =>
    [
        .. names.Select(name => Models.FirstOrDefault(m => m.Name == name) ?? throw new AccuracyException(
            $"The manifest has no model '{name}': name one of {string.Join(", ", Models.Select(m => m.Name))}.")),
    ];

    /// <summary>The path of one of its files.</summary>
    public string Path(string file) => System.IO.Path.Combine(_folder, file);

    /// <summary>The float model.</summary>
    /// <exception cref="AccuracyException">The file is not the one the manifest speaks of.</exception>
    public OnnxModel Load(ManifestModel model)
    {
        var bytes = System.IO.File.ReadAllBytes(Path(model.File));
        if (!Convert.ToHexString(SHA256.HashData(bytes)).Equals(model.Sha256, StringComparison.OrdinalIgnoreCase))
            throw new AccuracyException($"{model.File} is not the file that the manifest describes (its SHA-256 differs): restore the file.");
        return OnnxModel.Parse(bytes, model.Name);
    }

    /// <summary>The calibration rows of a model, for all its inputs.</summary>
    public CalibrationData Calibration(ManifestModel model)
    {
        var inputs = new Dictionary<string, OnnxTensor> { [model.Input] = RowReader.Read(this, model.Calib.Input) };
        foreach (var (name, value) in model.Constants ?? new Dictionary<string, long>())
            inputs[name] = OnnxTensor.Create([value]);
        if (model is { State: { } state, Calib.States: { } states })
            inputs[state.In] = RowReader.Read(this, model.Calib.Input.Of(states));
        return new(inputs);
    }

    private sealed record Content(IReadOnlyList<ManifestModel> Models);
}
