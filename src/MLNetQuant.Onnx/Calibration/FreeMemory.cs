using System.Globalization;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>How much memory this process could still take.</summary>
internal static class FreeMemory
{
    /// <summary>Bytes that are free, as far as the machine, or the container around the process, says.</summary>
    public static long Bytes()
    {
        var info = GC.GetGCMemoryInfo();
        var limit = Math.Max(0, info.TotalAvailableMemoryBytes - Environment.WorkingSet);
        return Math.Min(limit, OfLinux() ?? Math.Max(0, info.TotalAvailableMemoryBytes - info.MemoryLoadBytes));
    }

    /// <summary>What Linux estimates that can be taken without swapping; null elsewhere.</summary>
    private static long? OfLinux()
    {
        try
        {
            var line = File.ReadLines("/proc/meminfo").FirstOrDefault(l => l.StartsWith("MemAvailable:", StringComparison.Ordinal));
            return line is null ? null : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
