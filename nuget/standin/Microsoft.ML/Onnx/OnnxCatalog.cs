using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Onnx;

namespace Microsoft.ML;

/// <summary>Scoring with ONNX models. Only apply models from trusted sources.</summary>
public static class OnnxCatalog
{
    /// <summary>All of the model's outputs from columns named as its inputs.</summary>
    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog, string modelFile, int? gpuDeviceId = null, bool fallbackToCpu = false) =>
        Create(catalog, [], [], modelFile, gpuDeviceId, fallbackToCpu);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog, Stream modelBytes, int? gpuDeviceId = null, bool fallbackToCpu = false) =>
        Create(catalog, [], [], modelBytes, gpuDeviceId, fallbackToCpu);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string modelFile,
        IDictionary<string, int[]> shapeDictionary,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Create(catalog, [], [], modelFile, gpuDeviceId, fallbackToCpu, shapeDictionary);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        Stream modelBytes,
        IDictionary<string, int[]> shapeDictionary,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Create(catalog, [], [], modelBytes, gpuDeviceId, fallbackToCpu, shapeDictionary);

    /// <summary>One of the model's outputs from one column; both are named as in the model.</summary>
    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string outputColumnName,
        string inputColumnName,
        string modelFile,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Create(catalog, [outputColumnName], [inputColumnName], modelFile, gpuDeviceId, fallbackToCpu);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string outputColumnName,
        string inputColumnName,
        Stream modelBytes,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Create(catalog, [outputColumnName], [inputColumnName], modelBytes, gpuDeviceId, fallbackToCpu);

    public static OnnxScoringEstimator ApplyOnnxModel(this TransformsCatalog catalog, OnnxOptions options)
    {
        Contracts.CheckValue(options, nameof(options));
        return Create(catalog, options.OutputColumns, options.InputColumns, options.ModelFile, options.GpuDeviceId,
            options.FallbackToCpu, options.ShapeDictionary, options.RecursionLimit,
            options.InterOpNumThreads, options.IntraOpNumThreads);
    }

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string outputColumnName,
        string inputColumnName,
        string modelFile,
        IDictionary<string, int[]> shapeDictionary,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Create(catalog, [outputColumnName], [inputColumnName], modelFile, gpuDeviceId, fallbackToCpu, shapeDictionary);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string outputColumnName,
        string inputColumnName,
        Stream modelBytes,
        IDictionary<string, int[]> shapeDictionary,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Create(catalog, [outputColumnName], [inputColumnName], modelBytes, gpuDeviceId, fallbackToCpu, shapeDictionary);

    /// <summary>Some of the model's outputs from some columns; all are named as in the model.</summary>
    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string[] outputColumnNames,
        string[] inputColumnNames,
        string modelFile,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Create(catalog, outputColumnNames, inputColumnNames, modelFile, gpuDeviceId, fallbackToCpu);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string[] outputColumnNames,
        string[] inputColumnNames,
        Stream modelBytes,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Create(catalog, outputColumnNames, inputColumnNames, modelBytes, gpuDeviceId, fallbackToCpu);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string[] outputColumnNames,
        string[] inputColumnNames,
        string modelFile,
        IDictionary<string, int[]> shapeDictionary,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Create(catalog, outputColumnNames, inputColumnNames, modelFile, gpuDeviceId, fallbackToCpu, shapeDictionary);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string[] outputColumnNames,
        string[] inputColumnNames,
        Stream modelBytes,
        IDictionary<string, int[]> shapeDictionary,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false) =>
        Create(catalog, outputColumnNames, inputColumnNames, modelBytes, gpuDeviceId, fallbackToCpu, shapeDictionary);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string[] outputColumnNames,
        string[] inputColumnNames,
        string modelFile,
        IDictionary<string, int[]> shapeDictionary,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false,
        int recursionLimit = 100) =>
        Create(catalog, outputColumnNames, inputColumnNames, modelFile, gpuDeviceId, fallbackToCpu, shapeDictionary,
            recursionLimit);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog,
        string[] outputColumnNames,
        string[] inputColumnNames,
        Stream modelBytes,
        IDictionary<string, int[]> shapeDictionary,
        int? gpuDeviceId = null,
        bool fallbackToCpu = false,
        int recursionLimit = 100) =>
        Create(catalog, outputColumnNames, inputColumnNames, modelBytes, gpuDeviceId, fallbackToCpu, shapeDictionary,
            recursionLimit);

    /// <param name="model">The path of the model file, or a stream of its bytes.</param>
    private static OnnxScoringEstimator Create(
        TransformsCatalog catalog,
        string[] outputs,
        string[] inputs,
        object model,
        int? gpuDeviceId,
        bool fallbackToCpu,
        IDictionary<string, int[]> shapes = null,
        int recursionLimit = 100,
        int? interOpNumThreads = null,
        int? intraOpNumThreads = null)
    {
        IHostEnvironment env = catalog.GetEnvironment();
        if (gpuDeviceId is null && env is IHostEnvironmentInternal { GpuDeviceId: not null } environment)
        {
            gpuDeviceId = environment.GpuDeviceId;
            fallbackToCpu = environment.FallbackToCpu;
        }
        if (gpuDeviceId is not null && !fallbackToCpu)
            throw Contracts.ExceptLacking("scoring on a GPU (set fallbackToCpu to score on the CPU)");

        var settings = new OnnxModelSettings(
            inputs, outputs, shapes ?? new Dictionary<string, int[]>(), recursionLimit, interOpNumThreads, intraOpNumThreads);
        return new OnnxScoringEstimator(env, model is Stream bytes
            ? OnnxTransformer.FromStream(env, settings, bytes)
            : OnnxTransformer.FromFile(env, settings, (string)model));
    }
}
