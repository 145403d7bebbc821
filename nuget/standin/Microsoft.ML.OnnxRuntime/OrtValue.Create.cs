using Microsoft.ML.OnnxRuntime.Native;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

public unsafe partial class OrtValue
{
    /// <summary>A tensor over <paramref name="data"/>, which stays pinned until the value is disposed.</summary>
    public static OrtValue CreateTensorValueFromMemory<T>(T[] data, long[] shape)
        where T : unmanaged => CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, new Memory<T>(data), shape);

    /// <summary>A tensor over <paramref name="memory"/>, which stays pinned until the value is disposed.</summary>
    /// <exception cref="OnnxRuntimeException">No tensor has elements of this type, or the memory is too small.</exception>
    public static OrtValue CreateTensorValueFromMemory<T>(OrtMemoryInfo memoryInfo, Memory<T> memory, long[] shape)
        where T : unmanaged
    {
        if (!ElementType.TryGet(typeof(T), out var element))
            throw Invalid($"Tensor of type: {typeof(T)} is not supported");
        var size = ElementCount(shape);
        if (size > memory.Length)
            throw Invalid($"Managed memory size: {memory.Length} elements is less than shape size: {size} elements");

        var pin = memory.Pin();
        try
        {
            var value = Create(memoryInfo, element, shape, pin.Pointer, (nuint)memory.Length * (nuint)element.Size);
            return new OrtValue(new ValueHandle(value, pin));
        }
        catch
        {
            pin.Dispose();
            throw;
        }
    }

    /// <summary>A tensor over memory that the caller keeps alive and in place.</summary>
    /// <exception cref="OnnxRuntimeException">No tensor has elements of this type, or the memory is too small.</exception>
    public static OrtValue CreateTensorValueWithData(
        OrtMemoryInfo memInfo, TensorElementType elementType, long[] shape, nint dataBufferPtr, long bufferLengthInBytes)
    {
        if (!ElementType.TryGet(elementType, out var element))
            throw Invalid($"Tensor element type: {elementType} is not supported");
        if (element.IsString)
            throw Invalid("Cannot map managed strings buffer to native OrtValue. Use string specific interfaces");
        var required = ElementCount(shape) * element.Size;
        if (required > bufferLengthInBytes)
        {
            throw Invalid($"Shape: {string.Join(",", shape)} requires a buffer of at least {required} bytes. " +
                $"Provided: {bufferLengthInBytes} bytes");
        }

        var value = Create(memInfo, element, shape, (void*)dataBufferPtr, (nuint)bufferLengthInBytes);
        return new OrtValue(new ValueHandle(value));
    }

    /// <summary>A tensor whose memory the native library allocates and frees.</summary>
    public static OrtValue CreateAllocatedTensorValue(OrtAllocator allocator, TensorElementType elementType, long[] shape)
    {
        nint value;
        fixed (long* dimensions = shape)
        {
            NativeStatus.Check(OrtApi.CreateTensorAsOrtValue(
                allocator.Pointer, dimensions, (nuint)shape.Length, (int)elementType, &value));
        }
        return new OrtValue(new ValueHandle(value));
    }

    /// <summary>A tensor of empty strings, to be filled one by one.</summary>
    public static OrtValue CreateTensorWithEmptyStrings(OrtAllocator allocator, long[] shape) =>
        CreateAllocatedTensorValue(allocator, TensorElementType.String, shape);

    private static nint Create(OrtMemoryInfo memory, ElementType element, long[] shape, void* data, nuint bytes)
    {
        nint value;
        fixed (long* dimensions = shape)
        {
            NativeStatus.Check(OrtApi.CreateTensorWithDataAsOrtValue(
                memory.Pointer, data, bytes, dimensions, (nuint)shape.Length, (int)element.Type, &value));
        }
        return value;
    }

    private static long ElementCount(long[] shape)
    {
        var count = 1L;
        foreach (var dimension in shape)
        {
            if (dimension < 0)
                throw new ArgumentOutOfRangeException(nameof(shape), dimension, "Shape must not have negative elements");
            count = checked(count * dimension);
        }
        return count;
    }
}
