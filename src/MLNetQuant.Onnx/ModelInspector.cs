using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;

namespace MLNetQuant.Onnx;

/// <summary>Says what a model holds and what would be quantized.</summary>
public static class ModelInspector
{
    /// <summary>Lists layers, and nodes that keep their weights and why.</summary>
    /// <param name="model">The model.</param>
    public static ModelInspection Inspect(OnnxModel model) => Inspect(model, QuantizationOptions.Default);

    /// <summary>Lists the layers that the options' patterns select, and nodes that keep their weights and why.</summary>
    /// <param name="model">The model.</param>
    /// <param name="options">Which layers to include and exclude.</param>
    public static ModelInspection Inspect(OnnxModel model, QuantizationOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        var (found, unfit) = LayerFinder.Find(new GraphIndex(ModelPreparation.Apply(model.Proto)));
        var (layers, skipped) = LayerSelection.Select(found, unfit, options);
        return new()
        {
            IrVersion = model.Proto.IrVersion,
            Opsets = model.Proto.OpsetImport
                .GroupBy(o => o.Domain.Length == 0 ? "ai.onnx" : o.Domain, o => o.Version)
                .ToDictionary(g => g.Key, g => g.Max()),
            Bytes = model.SizeInBytes,
            Inputs = [.. model.Inputs.Select(i => $"{i.Name} {i.Text}")],
            Outputs = [.. model.Outputs.Select(o => $"{o.Name} {o.Text}")],
            Layers = [.. layers.Select(l => new InspectedLayer(
                l.Node.Name,
                l.Node.Op,
                l.Node.Weight.Name,
                [.. l.Node.Weight.Dims],
                l.Layout.Inputs,
                l.Layout.AllOutputs,
                l.Layout.Groups,
                l.Layout.Count))],
            Skipped = skipped,
        };
    }

    /// <summary>Lists the steps of a saved model, and the layers of the ONNX models in it.</summary>
    /// <param name="model">The saved model.</param>
    public static SavedModelInspection Inspect(SavedModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new()
        {
            Bytes = model.SizeInBytes,
            Steps = [.. model.Steps.Select(step =>
            {
                var onnx = step.Kind == SavedStepKind.Onnx ? model.ReadOnnx(step).Model : null;
                var layers = onnx is null ? null : Inspect(onnx);
                var weights = layers?.Layers.Sum(l => l.Weights)
                    ?? (step.Kind == SavedStepKind.Linear ? model.ReadLinear(step).Outputs.Sum(o => (long)o.Weights.Count) : 0);
                return new InspectedStep(
                    step.Folder, step.TypeName, step.Kind, weights, onnx?.IsQuantized == true ? "it is quantized already" : step.Reason, layers);
            })],
        };
    }
}
