using MLNetQuant.Onnx.Saved;

namespace MLNetQuant.Onnx;

/// <summary>
/// A model as ML.NET saves it: a zip with a folder for each step (<c>.zip</c>, and Model Builder's <c>.mlnet</c>). Immutable.
/// Nothing of ML.NET is needed to read one and to exchange the weights in it.
/// </summary>
public sealed class SavedModel
{
    private readonly ModelZip _zip;

    private SavedModel(ModelZip zip, string name)
    {
        (_zip, Name) = (zip, name);
        Steps = StepFinder.Find(zip, name);
    }

    /// <summary>What messages call the model: its path, or the name given with its bytes.</summary>
    public string Name { get; }

    /// <summary>Its steps in order, those of nested chains in the place of the chain.</summary>
    public IReadOnlyList<SavedStep> Steps { get; }

    /// <summary>Bytes of the zip.</summary>
    public long SizeInBytes => _zip.Size;

    /// <summary>Whether bytes begin as a zip does, and not as an ONNX file.</summary>
    /// <param name="start">The first bytes of a file.</param>
    public static bool IsZip(ReadOnlySpan<byte> start) => start.StartsWith("PK"u8);

    /// <summary>Reads a saved model.</summary>
    /// <param name="path">A zip that ML.NET wrote. Only use models from trusted sources.</param>
    /// <exception cref="QuantizationException">The file is missing, or no model that ML.NET saved.</exception>
    public static SavedModel Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            return Parse(File.ReadAllBytes(path), path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new QuantizationException($"The model file '{path}' does not exist: check the path.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new QuantizationException($"The model file '{path}' cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Reads a saved model from memory.</summary>
    /// <param name="bytes">The bytes of a zip that ML.NET wrote.</param>
    /// <param name="name">What messages call the model.</param>
    /// <exception cref="QuantizationException">The bytes are no model that ML.NET saved.</exception>
    public static SavedModel Parse(byte[] bytes, string name = "model")
    {
        ArgumentNullException.ThrowIfNull(bytes);
        return new(ModelZip.Read(bytes, name), name);
    }

    /// <summary>
    /// The scopes of the steps of the outermost chain: the sum of 1 for training, 2 for testing and 4 for scoring; none for a
    /// model of one step.
    /// </summary>
    /// <exception cref="QuantizationException">The chain is damaged.</exception>
    public IReadOnlyList<int> ReadScopes() => StepFinder.ReadScopes(_zip);

    /// <summary>The ONNX model of a step, and its columns.</summary>
    /// <param name="step">A step of the kind <see cref="SavedStepKind.Onnx"/>.</param>
    /// <param name="name">What messages call the ONNX model; <see langword="null"/> for this model's name and the step's folder.</param>
    /// <exception cref="QuantizationException">The step is damaged.</exception>
    public SavedOnnxStep ReadOnnx(SavedStep step, string? name = null)
    {
        Require(step, SavedStepKind.Onnx);
        return OnnxStepFormat.Read(_zip, step.Folder, name ?? $"{Name}, {step.Folder}");
    }

    /// <summary>The weights of a step that is a linear model.</summary>
    /// <param name="step">A step of the kind <see cref="SavedStepKind.Linear"/>.</param>
    /// <exception cref="QuantizationException">The step is damaged.</exception>
    public SavedLinearModel ReadLinear(SavedStep step)
    {
        Require(step, SavedStepKind.Linear);
        return LinearFormat.Read(_zip, step);
    }

    /// <summary>The same model with another ONNX model in a step; its columns and all other steps stay.</summary>
    /// <param name="step">A step of the kind <see cref="SavedStepKind.Onnx"/>.</param>
    /// <param name="model">A model with the same inputs and outputs.</param>
    /// <exception cref="QuantizationException">The model has more than 2 GB.</exception>
    public SavedModel With(SavedStep step, OnnxModel model)
    {
        Require(step, SavedStepKind.Onnx);
        ArgumentNullException.ThrowIfNull(model);
        return new(OnnxStepFormat.Write(_zip, step.Folder, model), Name);
    }

    /// <summary>The same model with other weights in a linear step.</summary>
    /// <param name="step">A step of the kind <see cref="SavedStepKind.Linear"/>.</param>
    /// <param name="model">Its model with other weights.</param>
    public SavedModel With(SavedStep step, SavedLinearModel model)
    {
        Require(step, SavedStepKind.Linear);
        ArgumentNullException.ThrowIfNull(model);
        return new(LinearFormat.Write(_zip, model), Name);
    }

    /// <summary>The model as the bytes of a zip that ML.NET loads.</summary>
    public byte[] ToBytes() => _zip.ToBytes();

    /// <summary>Writes the model; the file appears whole or not at all.</summary>
    /// <param name="path">Where to write; an existing file is replaced.</param>
    /// <exception cref="QuantizationException">The path cannot be written.</exception>
    public void Save(string path)
    {
        var bytes = ToBytes();
        AtomicFile.Write(path, stream => stream.Write(bytes));
    }

    private void Require(SavedStep step, SavedStepKind kind)
    {
        ArgumentNullException.ThrowIfNull(step);
        if (step.Kind != kind || !Steps.Contains(step))
            throw new ArgumentException($"'{step.Folder}' is no step of kind {kind} in the model '{Name}'.", nameof(step));
    }
}
