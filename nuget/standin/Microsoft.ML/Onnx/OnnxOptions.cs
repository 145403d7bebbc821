namespace Microsoft.ML.Transforms.Onnx;

/// <summary>Options of ApplyOnnxModel.</summary>
public sealed class OnnxOptions
{
    /// <summary>Path of the model file.</summary>
    public string ModelFile;

    /// <summary>Columns named as the model's inputs.</summary>
    public string[] InputColumns;

    /// <summary>Columns named as the model's outputs.</summary>
    public string[] OutputColumns;

    public int? GpuDeviceId;

    public bool FallbackToCpu;

    /// <summary>Shapes that replace those of the model, by input or output.</summary>
    public IDictionary<string, int[]> ShapeDictionary;

    /// <summary>How deep the model file's messages may be nested.</summary>
    public int RecursionLimit = 100;

    public int? InterOpNumThreads;

    public int? IntraOpNumThreads;
}
