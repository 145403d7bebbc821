using Microsoft.ML;
using MLNetQuant.Data;
using MLNetQuant.Onnx;

namespace MLNetQuant.Chains;

/// <summary>Quantizes the ONNX model of one step on the rows that reach it.</summary>
internal static class OnnxStepQuantizer
{
    /// <summary>Why a model is left alone, in one clause; null where it is not.</summary>
    public static string? Refuse(SavedOnnxStep step, QuantizationOptions options)
    {
        if (step.Model.IsQuantized)
            return ChainQuantizer.QuantizedAlready;
        var inspection = ModelInspector.Inspect(step.Model, options);
        if (inspection.Layers.Count > 0)
            return RefuseColumns(step);
        return inspection.Skipped is [var skipped, ..]
            ? $"none of its layers can be quantized ('{skipped.Name}': {skipped.Reason})"
            : "its nodes have no constant weights";
    }

    /// <summary>Inputs that calibration cannot read, such as text.</summary>
    private static string? RefuseColumns(SavedOnnxStep step)
    {
        try
        {
            _ = ColumnsOf(step);
            return null;
        }
        catch (QuantizationException e)
        {
            return $"calibration cannot read its inputs ({e.Message.TrimEnd('.')})";
        }
    }

    private static ModelColumns ColumnsOf(SavedOnnxStep step) => new(step.Model, [.. step.Inputs], [.. step.Outputs], step.Shapes);

    /// <exception cref="QuantizationException">The rows or the model cannot be used.</exception>
    public static QuantizedModel Quantize(SavedOnnxStep step, IDataView rows, QuantizationOptions options)
    {
        var columns = ColumnsOf(step).Bind(rows.Schema);
        var calibration = CalibrationRows.Read(rows, columns, options.Rows, options.CancellationToken);
        return ModelQuantizer.Quantize(step.Model, calibration, options with { Rows = null, ExternalData = ExternalData.Never });
    }
}
