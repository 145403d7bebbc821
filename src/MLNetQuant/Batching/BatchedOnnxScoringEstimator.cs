using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime.Tensors;
using Microsoft.ML.Transforms.Onnx;
using MLNetQuant.Batching;
using MLNetQuant.Data;
using MLNetQuant.Onnx;

namespace MLNetQuant;

/// <summary>
/// Scores with an ONNX model, many rows in one run. Create it with <c>ml.Transforms.ApplyOnnxModelBatched</c>.
/// </summary>
public sealed class BatchedOnnxScoringEstimator : IEstimator<BatchedOnnxTransformer>
{
    private readonly TransformsCatalog _catalog;
    private readonly BatchedOnnxOptions _options;
    private readonly BatchSize _batchSize;

    internal BatchedOnnxScoringEstimator(TransformsCatalog catalog, BatchedOnnxOptions options)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrEmpty(options.ModelFile);
        _catalog = catalog;
        _options = options;
        _batchSize = BatchSize.Of(options.BatchSize);
    }

    /// <summary>Opens the model; no row is read.</summary>
    /// <param name="input">Data with the columns that the model takes.</param>
    /// <exception cref="QuantizationException">The model file does not exist.</exception>
    public BatchedOnnxTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var model = ReadModel();
        var fitting = FittingSchema(model);
        var step = FittedStep.Of(CreateStep(), fitting, input.Schema);
        try
        {
            var device = SessionDevice.Of(_options.Environment);
            if (_options.GpuDeviceId is { } id)
                device = device with { GpuDeviceId = id, FallbackToCpu = _options.FallbackToCpu };
            var source = BatchedModelSource.FromFile(model, _options.ModelFile, _options.ShapeDictionary, device, _options.IntraOpNumThreads);
            return new(step, new(_options.ModelFile, source, _options.Environment), _batchSize);
        }
        catch
        {
            step.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="QuantizationException">The model file does not exist.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        var fitting = FittingSchema(ReadModel());
        var step = CreateStep();

        // The step opens the model when it is made; only its transformer lets go of it.
        using (fitting is null ? null : step.Fit(new EmptyData(fitting)))
            return step.GetOutputSchema(inputSchema);
    }

    /// <summary>The model file, read once.</summary>
    private Lazy<OnnxModel> ReadModel() => new(() => OnnxModel.Load(_options.ModelFile));

    private OnnxScoringEstimator CreateStep() => _catalog.ApplyOnnxModel(new OnnxOptions
    {
        ModelFile = _options.ModelFile,
        InputColumns = [.. _options.InputColumns],
        OutputColumns = [.. _options.OutputColumns],
        ShapeDictionary = _options.ShapeDictionary.ToDictionary(),
        GpuDeviceId = _options.GpuDeviceId,
        FallbackToCpu = _options.FallbackToCpu,
        RecursionLimit = _options.RecursionLimit,
        IntraOpNumThreads = _options.IntraOpNumThreads,
    });

    /// <summary>A schema of columns that fit the model; null where columns cannot, or ML.NET alone can read it.</summary>
    private DataViewSchema? FittingSchema(Lazy<OnnxModel> model)
    {
        IReadOnlyList<OnnxValueInfo> inputs;
        try
        {
            inputs = model.Value.Inputs;
        }
        catch (QuantizationException) when (File.Exists(_options.ModelFile))
        {
            return null;
        }

        if (_options.InputColumns.Except(inputs.Select(i => i.Name)).Any())
            return null;
        var builder = new DataViewSchema.Builder();
        foreach (var input in inputs)
        {
            var item = input.ElementType == TensorElementType.String ? TextDataViewType.Instance : ColumnItem.For(input)?.Type;
            if (item is null || input.Shape is null)
                return null;
            var shape = _options.ShapeDictionary.TryGetValue(input.Name, out var given) ? given.Select(d => (long)d) : input.Shape;
            builder.AddColumn(input.Name, new VectorDataViewType(item, checked((int)shape.Where(d => d > 0).Aggregate(1L, (a, b) => a * b))));
        }

        return builder.ToSchema();
    }
}
