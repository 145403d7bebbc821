using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML.OnnxRuntime.Native;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>A native value; dispose it when done with it. Spans over it are valid until then.</summary>
public partial class OrtValue : IDisposable
{
    private readonly ValueHandle _handle;

    /// <summary>Takes ownership of <paramref name="value"/>, unless it throws.</summary>
    internal unsafe OrtValue(nint value)
    {
        int type;
        NativeStatus.Check(OrtApi.GetValueType(value, &type));
        OnnxType = (OnnxValueType)type;
        _handle = new ValueHandle(value);
    }

    private OrtValue(ValueHandle tensor)
    {
        _handle = tensor;
        OnnxType = OnnxValueType.ONNX_TYPE_TENSOR;
    }

    public OnnxValueType OnnxType { get; }

    public bool IsTensor => OnnxType == OnnxValueType.ONNX_TYPE_TENSOR;

    public bool IsSparseTensor => OnnxType == OnnxValueType.ONNX_TYPE_SPARSETENSOR;

    internal nint Handle
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
            return _handle.DangerousGetHandle();
        }
    }

    /// <exception cref="OnnxRuntimeException">No tensor, or one of another element type.</exception>
    public ReadOnlySpan<T> GetTensorDataAsSpan<T>()
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Bytes(typeof(T)));

    /// <inheritdoc cref="GetTensorDataAsSpan{T}"/>
    public Span<T> GetTensorMutableDataAsSpan<T>()
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Bytes(typeof(T)));

    /// <inheritdoc cref="GetTensorDataAsSpan{T}"/>
    public Span<byte> GetTensorMutableRawData() => Bytes(typeof(byte));

    public unsafe OrtTypeInfo GetTypeInfo()
    {
        nint info;
        NativeStatus.Check(OrtApi.GetTypeInfo(Handle, &info));
        try
        {
            return new OrtTypeInfo(info);
        }
        finally
        {
            OrtApi.ReleaseTypeInfo(info);
        }
    }

    /// <exception cref="OnnxRuntimeException">Not a tensor.</exception>
    public unsafe OrtTensorTypeAndShapeInfo GetTensorTypeAndShape()
    {
        if (!IsTensor && !IsSparseTensor)
            throw Invalid($"This OrtValue type contains: {OnnxType}, not a tensor or sparse tensor");

        nint info;
        NativeStatus.Check(OrtApi.GetTensorTypeAndShape(Handle, &info));
        try
        {
            return new OrtTensorTypeAndShapeInfo(info);
        }
        finally
        {
            OrtApi.ReleaseTensorTypeAndShapeInfo(info);
        }
    }

    /// <summary>One element of a tensor of strings.</summary>
    public unsafe string GetStringElement(int index)
    {
        nuint length;
        NativeStatus.Check(OrtApi.GetStringTensorElementLength(Handle, (nuint)index, &length));
        if (length == 0)
            return "";
        var utf8 = new byte[length];
        fixed (byte* bytes = utf8)
            NativeStatus.Check(OrtApi.GetStringTensorElement(Handle, length, (nuint)index, bytes));
        return Encoding.UTF8.GetString(utf8);
    }

    /// <summary>All elements of a tensor of strings.</summary>
    public string[] GetStringTensorAsArray()
    {
        var info = GetTensorTypeAndShape();
        if (!info.IsString)
        {
            throw new OnnxRuntimeException(ErrorCode.Fail, "GetStringTensorAsArray() is only supported for string tensors. " +
                $"This OrtValue contains a {info.ElementDataType} tensor.");
        }
        var strings = new string[info.ElementCount];
        for (var i = 0; i < strings.Length; i++)
            strings[i] = GetStringElement(i);
        return strings;
    }

    /// <summary>Sets one element of a tensor of strings.</summary>
    public unsafe void StringTensorSetElementAt(ReadOnlySpan<char> str, int index)
    {
        fixed (byte* utf8 = NativeText.Utf8(str.ToString()))
            NativeStatus.Check(OrtApi.FillStringTensorElement(Handle, utf8, (nuint)index));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
            _handle.Dispose();
    }

    private unsafe Span<byte> Bytes(Type requested)
    {
        if (!IsTensor)
            throw Invalid($"This OrtValue type contains: {OnnxType}, not a tensor");

        var info = GetTensorTypeAndShape();
        if (info.IsString)
            throw Invalid("Strings are not supported by this API");
        if (!ElementType.TryGet(info.ElementDataType, out var element))
            throw Invalid($"Element type: {info.ElementDataType} is not registered type.");
        if (requested != typeof(byte) && requested != element.ClrType)
            throw Invalid($"Requested type: {requested} does not match the actual type: {element.ClrType}");

        var bytes = info.ElementCount * element.Size;
        if (bytes == 0)
            return [];
        if (bytes > int.MaxValue)
            throw Invalid($"A span holds at most 2 GB; this tensor has {bytes} bytes.");

        void* data;
        NativeStatus.Check(OrtApi.GetTensorMutableData(Handle, &data));
        return new Span<byte>(data, (int)bytes);
    }

    private static OnnxRuntimeException Invalid(string message) => new(ErrorCode.InvalidArgument, message);
}
