using System.Diagnostics;
using System.Runtime.InteropServices;

namespace MLNetQuant.Packages.Tests;

/// <summary>Runs programs as a user's shell would, each with a clean environment.</summary>
internal static class Dotnet
{
    /// <summary>Where the dotnet that runs this test is installed.</summary>
    public static string Folder { get; } = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));

    private static string File { get; } = Path.Combine(Folder, OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet");

    /// <summary>Runs dotnet in a folder and demands success.</summary>
    /// <returns>What it printed.</returns>
    public static Task<string> Run(string folder, params string[] arguments) => RunProgram(File, folder, arguments);

    /// <summary>Runs a program in a folder and demands success.</summary>
    /// <returns>What it printed.</returns>
    public static async Task<string> RunProgram(string file, string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // What the test host and 'dotnet test' set for themselves would lead another MSBuild astray.
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(name);
        start.Environment["NUGET_PACKAGES"] = Path.Combine(folder, "packages");
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["DOTNET_ROOT"] = Folder;
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1"; // no process stays behind that holds files of the folder
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(
            process.ExitCode == 0,
            $"'{Path.GetFileName(file)} {string.Join(' ', arguments)}' ended with {process.ExitCode}:\n{output}{await error}");
        return output;
    }
}
