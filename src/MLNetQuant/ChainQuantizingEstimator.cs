using Microsoft.ML;
using MLNetQuant.Chains;

namespace MLNetQuant;

/// <summary>
/// Fits an estimator and quantizes the weights of the fitted model on the same rows. Create it with
/// <c>estimator.WithQuantizedWeights</c>.
/// </summary>
public sealed class ChainQuantizingEstimator : IEstimator<ITransformer>
{
    private readonly IEstimator<ITransformer> _estimator;
    private readonly MLContext _context;
    private readonly QuantizationOptions _options;
    private readonly Action<ChainQuantizationReport>? _onQuantized;

    internal ChainQuantizingEstimator(
        IEstimator<ITransformer> estimator,
        MLContext context,
        QuantizationOptions options,
        Action<ChainQuantizationReport>? onQuantized)
    {
        ArgumentNullException.ThrowIfNull(estimator);
        ArgumentNullException.ThrowIfNull(context);
        options.Validate();
        (_estimator, _context, _options, _onQuantized) = (estimator, context, options, onQuantized);
    }

    /// <summary>Fits the estimator, then quantizes the fitted model.</summary>
    /// <param name="input">The rows to fit to, and to calibrate on.</param>
    /// <returns>The quantized model; dispose of it to release its models and temporary files.</returns>
    /// <exception cref="QuantizationException">A step cannot be quantized on the rows; the message says which and how to mend it.</exception>
    /// <exception cref="OperationCanceledException">The options' cancellation token was cancelled.</exception>
    public ITransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var fitted = _estimator.Fit(input);
        var result = fitted;
        try
        {
            result = _context.Model.QuantizeWeights(fitted, input, out var report, _options, _context);
            _onQuantized?.Invoke(report);
            return result;
        }
        catch
        {
            foreach (var made in ChainParts.StepsOf(result).Except(ChainParts.StepsOf(fitted), ReferenceEqualityComparer.Instance))
                (made as IDisposable)?.Dispose();
            Release(fitted);
            throw;
        }
    }

    /// <summary>The columns of the estimator: quantization changes none.</summary>
    /// <param name="inputSchema">The columns that it is promised.</param>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => _estimator.GetOutputSchema(inputSchema);

    /// <summary>
    /// Lets go of what every fit makes anew, and nobody else can reach. Other steps may belong to their estimator, which hands
    /// out the same one at each fit.
    /// </summary>
    private static void Release(ITransformer fitted)
    {
        foreach (var step in ChainParts.StepsOf(fitted))
        {
            if (step is WeightQuantizingTransformer or BatchedOnnxTransformer)
                ((IDisposable)step).Dispose();
        }
    }
}
