using System.Runtime.InteropServices;
using System.Text;

namespace Microsoft.ML.OnnxRuntime.Native;

/// <summary>Strings across the border: zero-terminated UTF-8, except Windows paths, which are UTF-16.</summary>
internal static unsafe class NativeText
{
    public static byte[] Utf8(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
        Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }

    public static byte[] Path(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return OperatingSystem.IsWindows() ? Encoding.Unicode.GetBytes(path + '\0') : Utf8(path);
    }

    public static string Read(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    /// <summary>Reads a string that the native side allocated with <paramref name="allocator"/>, and frees it.</summary>
    public static string Take(byte* text, nint allocator)
    {
        try
        {
            return Read(text);
        }
        finally
        {
            NativeStatus.Check(OrtApi.AllocatorFree(allocator, text));
        }
    }
}
