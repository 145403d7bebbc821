using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLNetQuant.Onnx.Tests.Graph;

public class OnnxTensorTests
{
    [Fact]
    public void Every_number_type_goes_to_the_runtime_and_back()
    {
        Check<float>(TensorElementType.Float, 1.5f, -2);
        Check<double>(TensorElementType.Double, 1.5, -2);
        Check<bool>(TensorElementType.Bool, true, false);
        Check<long>(TensorElementType.Int64, long.MaxValue, -2);
        Check<ulong>(TensorElementType.UInt64, ulong.MaxValue, 2);
        Check<int>(TensorElementType.Int32, int.MaxValue, -2);
        Check<uint>(TensorElementType.UInt32, uint.MaxValue, 2);
        Check<short>(TensorElementType.Int16, short.MaxValue, -2);
        Check<ushort>(TensorElementType.UInt16, ushort.MaxValue, 2);
        Check<sbyte>(TensorElementType.Int8, sbyte.MaxValue, -2);
        Check<byte>(TensorElementType.UInt8, byte.MaxValue, 2);
    }

    [Fact]
    public void A_shape_that_does_not_hold_the_elements_is_refused()
    {
        var e = Assert.Throws<ArgumentException>(() => OnnxTensor.Create(new float[6], 2, 4));
        Assert.StartsWith("The shape [2,4] holds 8 elements, but the array has 6.", e.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => OnnxTensor.Create(new float[2]));
    }

    [Fact]
    public void Types_that_ONNX_lacks_are_refused() =>
        Assert.Throws<NotSupportedException>(() => OnnxTensor.Create(new char[2], 2));

    [Fact]
    public void Rows_are_copied_and_keep_their_other_axes()
    {
        var data = Enumerable.Range(0, 24).ToArray();
        var rows = OnnxTensor.Create(data, 4, 3, 2).Rows(1, 2);
        data[6] = 99;
        Assert.Equal([2L, 3L, 2L], rows.Shape);
        Assert.Equal(Enumerable.Range(6, 12), rows.Values<int>().ToArray());
        Assert.Equal("Int32[2,3,2]", rows.ToString());
    }

    [Fact]
    public void Reading_another_type_fails() =>
        Assert.Throws<InvalidCastException>(() => OnnxTensor.Create([1f], 1).Values<double>().Length);

    private static void Check<T>(TensorElementType type, params T[] values)
        where T : unmanaged
    {
        var tensor = OnnxTensor.Create(values, 1, 2);
        Assert.Equal(type, tensor.ElementType);
        using var value = tensor.ToOrtValue();
        var back = OnnxTensor.FromOrtValue("t", value);
        Assert.Equal(type, back.ElementType);
        Assert.Equal([1L, 2L], back.Shape);
        Assert.Equal(values, back.Values<T>().ToArray());
    }
}
