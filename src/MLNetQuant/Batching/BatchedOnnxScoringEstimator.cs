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
    public BatchedOnnxTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var step = CreateStep().Fit(input);
        try
        {
            var source = BatchedModelSource.FromFile(_options.ModelFile, _options.ShapeDictionary, _options.IntraOpNumThreads);
            return new(step, new(_options.ModelFile, source, _options.Environment), _batchSize);
        }
        catch
        {
            step.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        var step = CreateStep();

        // The step opens the model when it is made; only its transformer lets go of it.
        using (FittingSchema() is { } schema ? step.Fit(new EmptyData(schema)) : null)
            return step.GetOutputSchema(inputSchema);
    }

    private OnnxScoringEstimator CreateStep() => _catalog.ApplyOnnxModel(new OnnxOptions
    {
        ModelFile = _options.ModelFile,
        InputColumns = [.. _options.InputColumns],
        OutputColumns = [.. _options.OutputColumns],
        ShapeDictionary = _options.ShapeDictionary.ToDictionary(),
        RecursionLimit = _options.RecursionLimit,
        IntraOpNumThreads = _options.IntraOpNumThreads,
    });

    /// <summary>A schema of columns that fit the model; null where columns cannot.</summary>
    private DataViewSchema? FittingSchema()
    {
        var builder = new DataViewSchema.Builder();
        foreach (var input in OnnxModel.Load(_options.ModelFile).Inputs)
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
