using System.Text;
using MLNetQuant.Onnx;

namespace MLNetQuant.Cli.Commands;

/// <summary>Files that a command writes: looked at before the work starts, written whole when it is done.</summary>
internal static class OutputPath
{
    private static readonly StringComparison PathComparison =
        OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;

    /// <summary>Refuses a path that would overwrite a file the command uses, and one that cannot be written.</summary>
    /// <param name="path">Where the command is going to write.</param>
    /// <param name="others">The other files of the command.</param>
    /// <exception cref="UsageException">The path is one of the others.</exception>
    /// <exception cref="QuantizationException">No file can be created there.</exception>
    public static void Check(string path, params string?[] others)
    {
        var target = Resolve(path);
        if (others.Any(o => o is not null && string.Equals(Resolve(o), target, PathComparison)))
            throw new UsageException($"The file '{path}' is named twice, and writing it would destroy the other: give another output path.");
        if (Directory.Exists(target))
            throw new QuantizationException($"The file '{path}' cannot be written (it is a folder): give the path of a file.");
        try
        {
            var probe = Path.Combine(Path.GetDirectoryName(target)!, $".{Guid.NewGuid():N}.tmp");
            using var file = new FileStream(
                probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            var reason = e is DirectoryNotFoundException ? "its folder does not exist" : e.Message.TrimEnd('.');
            throw new QuantizationException(
                $"The file '{path}' cannot be written ({reason}): give a path in an existing folder that you may write to.", e);
        }
    }

    /// <summary>Writes a report; the file appears whole or not at all.</summary>
    public static void WriteJson(string path, string json) =>
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(json + "\n")));

    private static string Resolve(string path)
    {
        var full = Path.GetFullPath(path);
        try
        {
            return File.ResolveLinkTarget(full, returnFinalTarget: true)?.FullName ?? full;
        }
        catch (IOException)
        {
            return full;
        }
    }
}
