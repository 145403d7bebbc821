using System.Globalization;
using MLNetQuant.Onnx.Saved;

namespace MLNetQuant.Onnx;

/// <summary>Quantizes the weights of a linear model of ML.NET's own.</summary>
public static class LinearModelQuantizer
{
    /// <summary>Numbers of all calibration rows, a quarter of a gigabyte, unless that leaves too few rows.</summary>
    private const long Numbers = 1 << 26;

    private const int LeastRows = 256;

    /// <summary>Four gigabytes: a model of which the least rows are more is left alone.</summary>
    private const long MostNumbers = 1 << 30;

    /// <summary>
    /// How many rows to calibrate a model on at most, so that their values take a quarter of a gigabyte; 256 where that is less.
    /// </summary>
    /// <param name="model">The model.</param>
    public static int MostRows(SavedLinearModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return (int)Math.Max(LeastRows, Numbers / Math.Max(1, model.NumbersPerRow));
    }

    /// <summary>Why a model is left alone, in one clause; <see langword="null"/> where it is not.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">Which layers to include and exclude, and how many rows.</param>
    public static string? Refuse(SavedLinearModel model, QuantizationOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        long rows = Math.Min(LeastRows, Math.Min(options.RowsPerLayer, options.Rows ?? int.MaxValue));
        if (rows * model.NumbersPerRow > MostNumbers)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"the features of its outputs are {rows * model.NumbersPerRow:N0} numbers on {rows} rows, and there is room for {MostNumbers:N0}: train it on fewer features, or allow fewer rows");
        }

        var problem = new LinearProblem(model);
        if (!problem.HasWeights)
            return "all of its weights are zero";
        if (model.KeepsStatistics)
            return "it keeps statistics of its weights, which would no longer be theirs: train it without them";
        var inspection = ModelInspector.Inspect(problem.Model, options);
        return inspection.Layers.Count > 0 ? null : inspection.Skipped[0].Reason;
    }

    /// <summary>
    /// Chooses weights out of 2^b values, one scale for each output as the options say, that follow the paths of the scores on the
    /// given rows; biases take up the mean error. They are stored as the floats that they are: what becomes smaller is the zip,
    /// which packs few distinct values well.
    /// </summary>
    /// <param name="model">The linear model.</param>
    /// <param name="rows">Feature vectors, one behind the other; at least one.</param>
    /// <param name="options">What to quantize and how. Of the options about files none applies.</param>
    /// <returns>The model with other weights, and the report: a layer for all outputs, or several where the model is cut.</returns>
    /// <exception cref="ArgumentException">The rows are not of the model's number of features.</exception>
    /// <exception cref="QuantizationException">An option cannot be used; the message says which and how to mend it.</exception>
    /// <exception cref="OperationCanceledException">The options' cancellation token was cancelled.</exception>
    public static QuantizedLinearModel Quantize(SavedLinearModel model, float[] rows, QuantizationOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(options);
        if (rows.Length == 0 || rows.Length % model.FeatureCount != 0)
            throw new ArgumentException($"{rows.Length} values are no whole number of rows of {model.FeatureCount} features.", nameof(rows));
        var problem = new LinearProblem(model);
        var quantized = ModelQuantizer.Quantize(problem.Model, problem.Feed(rows), options with
        {
            Format = WeightFormat.Float,
            Target = FormatTarget.Size,
            Activations = ActivationScales.Static,
            ReduceRange = ReducedRange.Never,
            ExternalData = ExternalData.Never,
            ShortNames = false,
            Rows = null,
        });
        return new(problem.Read(quantized.Model), quantized.Report);
    }
}

/// <summary>A quantized linear model.</summary>
/// <param name="Model">The model with other weights.</param>
/// <param name="Report">What was done, with the measured error.</param>
public sealed record QuantizedLinearModel(SavedLinearModel Model, QuantizationReport Report);
