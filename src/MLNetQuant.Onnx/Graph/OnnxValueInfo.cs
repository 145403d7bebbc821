using Microsoft.ML.OnnxRuntime.Tensors;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx;

/// <summary>An input or output of a model.</summary>
/// <param name="Name">Its name.</param>
/// <param name="ElementType">Element type; <see cref="TensorElementType.DataTypeMax"/> when it is not a tensor.</param>
/// <param name="Shape">
/// Extents, −1 where the model leaves one open; <see langword="null"/> when not even their number is known.
/// </param>
/// <param name="Text">Type and shape as text, for example <c>Float[N,784]</c>.</param>
public sealed record OnnxValueInfo(
    string Name, TensorElementType ElementType, IReadOnlyList<long>? Shape, string Text)
{
    /// <summary>
    /// Whether ML.NET's ONNX step has a column for it: it passes over <c>mlnet.….unusedInput</c> and <c>mlnet.….unusedOutput</c>.
    /// Its export adds such outputs, which carry names of slots; ML.NET 5.0 writes no such inputs.
    /// </summary>
    public bool IsColumn =>
        !Name.StartsWith("mlnet.", StringComparison.Ordinal)
        || !(Name.EndsWith(".unusedInput", StringComparison.Ordinal) || Name.EndsWith(".unusedOutput", StringComparison.Ordinal));

    /// <summary>What the model calls each extent; empty where it has no name for it.</summary>
    internal IReadOnlyList<string> ExtentNames { get; private init; } = [];

    internal static OnnxValueInfo From(ValueInfoProto value)
    {
        if (value.Type?.ValueCase != TypeProto.ValueOneofCase.TensorType)
            return new(value.Name, TensorElementType.DataTypeMax, null, "not a tensor");
        var tensor = value.Type.TensorType;
        var type = (TensorElementType)tensor.ElemType;
        if (tensor.Shape is null)
            return new(value.Name, type, null, $"{type}[…]");
        long[] shape = [.. tensor.Shape.Dim.Select(d => IsFixed(d) ? d.DimValue : -1)];
        var names = tensor.Shape.Dim.Select(d =>
            IsFixed(d) ? d.DimValue.ToString(System.Globalization.CultureInfo.InvariantCulture)
            : string.IsNullOrEmpty(d.DimParam) ? "?" : d.DimParam);
        return new(value.Name, type, shape, $"{type}[{string.Join(',', names)}]") { ExtentNames = [.. tensor.Shape.Dim.Select(d => IsFixed(d) ? "" : d.DimParam)] };
    }

    private static bool IsFixed(TensorShapeProto.Types.Dimension dim) =>
        dim.ValueCase == TensorShapeProto.Types.Dimension.ValueOneofCase.DimValue && dim.DimValue > 0;
}
