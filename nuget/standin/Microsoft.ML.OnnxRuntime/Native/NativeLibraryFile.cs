using System.Runtime.InteropServices;

namespace Microsoft.ML.OnnxRuntime.Native;

/// <summary>Finds and loads the native library, which the build puts beside the application.</summary>
internal static class NativeLibraryFile
{
    private static string FileName =>
        OperatingSystem.IsWindows() ? "onnxruntime.dll"
        : OperatingSystem.IsMacOS() ? "libonnxruntime.1.dylib"
        : "libonnxruntime.so.1";

    /// <summary>The address of an exported function; the library stays loaded for the life of the process.</summary>
    /// <exception cref="DllNotFoundException">The library is in none of the folders searched.</exception>
    public static nint Export(string function) => NativeLibrary.GetExport(Load(), function);

    private static nint Load()
    {
        var folders = Folders().ToArray();
        foreach (var folder in folders)
        {
            var path = Path.Combine(folder, FileName);
            if (File.Exists(path))
                return NativeLibrary.Load(path);
        }
        throw new DllNotFoundException(
            $"The native ONNX Runtime '{FileName}' is in none of these folders: {string.Join(", ", folders)}; " +
            "build the application again.");
    }

    private static IEnumerable<string> Folders()
    {
        yield return AppContext.BaseDirectory;
        var beside = Path.GetDirectoryName(typeof(NativeLibraryFile).Assembly.Location);
        if (!string.IsNullOrEmpty(beside) && Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory) != beside)
            yield return beside;
    }
}
