namespace MLNetQuant.Onnx.Tests.Models;

/// <summary>Shorthand for calibration data.</summary>
internal static class CalibrationRows
{
    public static CalibrationData Of(params (string Name, OnnxTensor Value)[] inputs) =>
        new(inputs.ToDictionary(i => i.Name, i => i.Value));
}
