using Microsoft.ML;
using Microsoft.ML.Transforms.Onnx;

namespace MLNetQuant.Data;

/// <summary>Fits steps of ML.NET so that no failure leaves a model open.</summary>
internal static class FittedStep
{
    /// <param name="estimator">
    /// The step, which opens its model when it is made; only the transformer, which a fit hands out, lets go of it.
    /// </param>
    /// <param name="fitting">Columns that fit the model for sure; <see langword="null"/> where there are none.</param>
    /// <param name="schema">The columns of the data, which may be refused.</param>
    public static OnnxTransformer Of(OnnxScoringEstimator estimator, DataViewSchema? fitting, DataViewSchema schema)
    {
        var step = estimator.Fit(new EmptyData(fitting ?? schema));
        try
        {
            step.GetOutputSchema(schema);
            return step;
        }
        catch
        {
            step.Dispose();
            throw;
        }
    }
}
