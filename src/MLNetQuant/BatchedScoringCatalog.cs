using Microsoft.ML.Runtime;
using MLNetQuant;
using MLNetQuant.Batching;

namespace Microsoft.ML;

/// <summary>Extension methods that score with ONNX models in batches instead of row by row.</summary>
public static class BatchedScoringCatalog
{
    /// <summary>
    /// Scores with an ONNX model, many rows in one run, as <c>ApplyOnnxModel</c> does row by row. The input and output
    /// columns are named as the model's inputs and outputs.
    /// </summary>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="modelFile">Path of the ONNX model. Only use models from trusted sources.</param>
    /// <remarks>
    /// <format type="text/markdown"><![CDATA[
    /// | Characteristic | |
    /// | -- | -- |
    /// | Does this estimator need to look at the data to train its parameters? | No |
    /// | Input column data type | Vector of, or a single, number of the model input's type |
    /// | Output column data type | As for ApplyOnnxModel |
    /// | Required NuGet in addition to Microsoft.ML | MLNetQuant, and Microsoft.ML.OnnxRuntime in the application |
    /// | Exportable to ONNX | No |
    ///
    /// Cursors read a batch of rows ahead and run the model once for all of them, when the first score is asked for; from the
    /// second batch on those behind it are read and run too, on other threads, while its scores are used. Schema and values
    /// are those of ApplyOnnxModel, up to the order in which sums are rounded. Models that cannot run so are scored row by
    /// row, and the transformer's Scoring.RowByRowReason says why: a first axis of fixed length, outputs that are sequences,
    /// maps or text, operators that mix the rows of a batch, or that fail on more than one row. Whether they do is tried with
    /// the first batch and some later ones.
    ///
    /// Batches run in sessions of their own. They use the GPU that BatchedOnnxOptions.GpuDeviceId names, or else that of the
    /// MLContext that is given for messages, and the session options that were set on that context, if these make options or
    /// name threads; ML.NET tells neither of a step or of a catalog, so that without a context batches run on the CPU.
    /// ]]></format>
    /// </remarks>
    /// <example>
    /// <code>
    /// using var model = ml.Transforms.ApplyOnnxModelBatched("model.onnx").Fit(rows);
    /// var scores = model.Transform(rows).GetColumn&lt;float[]&gt;("scores");
    /// </code>
    /// </example>
    public static BatchedOnnxScoringEstimator ApplyOnnxModelBatched(this TransformsCatalog catalog, string modelFile) =>
        catalog.ApplyOnnxModelBatched([], [], modelFile);

    /// <summary>Scores with an ONNX model with one input column and one output column, many rows in one run.</summary>
    /// <inheritdoc cref="ApplyOnnxModelBatched(TransformsCatalog, string)" path="/remarks"/>
    /// <inheritdoc cref="ApplyOnnxModelBatched(TransformsCatalog, string)" path="/example"/>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="outputColumnName">The output column, named as an output of the model.</param>
    /// <param name="inputColumnName">The input column, named as the input of the model.</param>
    /// <param name="modelFile">Path of the ONNX model. Only use models from trusted sources.</param>
    /// <param name="batchSize">
    /// Rows that are read ahead, at most; at least 1. On several cores 64 or more run in batches of 32 to 128 rows each, several at
    /// a time; otherwise they run together. <see langword="null"/> takes up to 1,024 rows, fewer at first, and no more than hold
    /// 2^20 input values (4 MB of floats).
    /// </param>
    /// <exception cref="QuantizationException">The batch size is below 1.</exception>
    public static BatchedOnnxScoringEstimator ApplyOnnxModelBatched(
        this TransformsCatalog catalog,
        string outputColumnName,
        string inputColumnName,
        string modelFile,
        int? batchSize = null) =>
        catalog.ApplyOnnxModelBatched([outputColumnName], [inputColumnName], modelFile, batchSize);

    /// <summary>Scores with an ONNX model with several input or output columns, many rows in one run.</summary>
    /// <inheritdoc cref="ApplyOnnxModelBatched(TransformsCatalog, string)" path="/remarks"/>
    /// <inheritdoc cref="ApplyOnnxModelBatched(TransformsCatalog, string)" path="/example"/>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="outputColumnNames">The output columns, named as outputs of the model; none for all.</param>
    /// <param name="inputColumnNames">The input columns, named as the inputs of the model; none for all.</param>
    /// <param name="modelFile">Path of the ONNX model. Only use models from trusted sources.</param>
    /// <param name="batchSize">
    /// Rows that are read ahead, at most; at least 1. On several cores 64 or more run in batches of 32 to 128 rows each, several at
    /// a time; otherwise they run together. <see langword="null"/> takes up to 1,024 rows, fewer at first, and no more than hold
    /// 2^20 input values (4 MB of floats).
    /// </param>
    /// <exception cref="QuantizationException">The batch size is below 1.</exception>
    public static BatchedOnnxScoringEstimator ApplyOnnxModelBatched(
        this TransformsCatalog catalog,
        string[] outputColumnNames,
        string[] inputColumnNames,
        string modelFile,
        int? batchSize = null)
    {
        ArgumentNullException.ThrowIfNull(outputColumnNames);
        ArgumentNullException.ThrowIfNull(inputColumnNames);
        return new(catalog, new()
        {
            ModelFile = modelFile,
            OutputColumns = [.. outputColumnNames],
            InputColumns = [.. inputColumnNames],
            BatchSize = batchSize,
        });
    }

    /// <summary>Scores with an ONNX model, many rows in one run.</summary>
    /// <inheritdoc cref="ApplyOnnxModelBatched(TransformsCatalog, string)" path="/remarks"/>
    /// <inheritdoc cref="ApplyOnnxModelBatched(TransformsCatalog, string)" path="/example"/>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="options">The model, its columns and shapes, the batch size, and where messages go.</param>
    /// <exception cref="QuantizationException">The batch size is below 1.</exception>
    public static BatchedOnnxScoringEstimator ApplyOnnxModelBatched(this TransformsCatalog catalog, BatchedOnnxOptions options) =>
        new(catalog, options);

    /// <summary>
    /// The model with its ONNX steps scoring many rows in one run, wherever they stand in it: alone, in a chain, or in a chain
    /// within a chain.
    /// </summary>
    /// <inheritdoc cref="ApplyOnnxModelBatched(TransformsCatalog, string)" path="/remarks"/>
    /// <param name="model">A fitted or loaded model with at least one ONNX step. It stays yours, and is to live as long as the result.</param>
    /// <param name="batchSize">
    /// Rows that are read ahead, at most; at least 1. On several cores 64 or more run in batches of 32 to 128 rows each, several at
    /// a time; otherwise they run together. <see langword="null"/> takes up to 1,024 rows, fewer at first, and no more than hold
    /// 2^20 input values (4 MB of floats).
    /// </param>
    /// <param name="environment">
    /// The context, for example the <c>MLContext</c>, whose log is told when rows are scored one by one after all, or when
    /// scores depend on the batch; <see langword="null"/> tells nobody. Plain ONNX steps run
    /// their batches on the GPU and with the session options that an <c>MLContext</c> names; those of this package keep theirs.
    /// </param>
    /// <returns>A model of the same schema and saved form.</returns>
    /// <exception cref="QuantizationException">The model has no ONNX step, or the batch size is below 1.</exception>
    /// <example>
    /// <code>
    /// var model = ml.Model.Load("model.zip", out _);
    /// using var batched = model.Batched();
    /// var scores = batched.Transform(rows).GetColumn&lt;float[]&gt;("scores");
    /// </code>
    /// </example>
    public static BatchedTransformer Batched(
        this ITransformer model, int? batchSize = null, IHostEnvironment? environment = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new(model, BatchSize.Of(batchSize), environment);
    }
}
