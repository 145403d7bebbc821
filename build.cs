#:property PublishAot=false

// Builds, tests and demonstrates MLNetQuant with nothing but the .NET SDK: dotnet run build.cs VERB

using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;

const string Usage = """
    usage: dotnet run build.cs VERB [arguments for the tool beneath]

      demo    quantize the sample model in an ML.NET pipeline and print the table (samples/QuickStart)
      test    build everything in Release and run all tests; arguments go to dotnet test
      api     write what the assemblies show to their users, and touch of ML.NET, to tests/MLNetQuant.PublicApi.Tests, to be reviewed and committed
      build   build everything in Release; arguments go to dotnet build
      bench   run the benchmarks and write their results (tests/MLNetQuant.Benchmarks); arguments go to BenchmarkDotNet;
              bench theorems writes the tables of error against size instead, bench walk those of the walk's cost
      pack    write the packages to artifacts/packages; arguments go to dotnet pack
      clean   delete artifacts, bin, obj and the remembered answer of where ML.NET comes from
    """;

var root = AppContext.GetData("EntryPointFileDirectoryPath") as string ?? Environment.CurrentDirectory;
var artifacts = Path.Combine(root, "artifacts");
var solution = Path.Combine(root, "MLNetQuant.sln");
var verb = args.Length == 0 ? "" : args[0];
string[] rest = [.. args.Skip(1)];

try
{
    switch (verb)
    {
        case "demo":
            Prepare();
            return Child.Dotnet(root, ["run", "--project", Path.Combine(root, "samples", "QuickStart"), "-c", "Release", "--", .. rest]);
        case "test":
            Prepare();
            return Test();
        case "build":
            Prepare();
            return Build(rest);
        case "api":
            Prepare();
            Environment.SetEnvironmentVariable("MLNETQUANT_WRITE_API", "1");
            return Child.Dotnet(root, ["test", Path.Combine(root, "tests", "MLNetQuant.PublicApi.Tests"), "-c", "Release", "--nologo", .. rest]);
        case "bench":
            Prepare();
            return Child.Dotnet(root, ["run", "--project", Path.Combine(root, "tests", "MLNetQuant.Benchmarks"), "-c", "Release", "--", .. rest]);
        case "pack":
            Prepare(PackageSource.PackingOnStandin);
            return Pack();
        case "clean":
            Clean();
            return 0;
        case "help" or "-h" or "--help":
            Console.WriteLine(Usage);
            return 0;
        default:
            Console.Error.WriteLine(verb.Length == 0 ? "Name a verb." : $"'{verb}' is no verb of build.cs.");
            Console.Error.WriteLine(Usage);
            return 2;
    }
}
catch (BuildException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}

void Prepare(string onStandin = "")
{
    var source = PackageSource.Find(root, artifacts);
    Console.WriteLine(source.Line + (source.IsStandin ? onStandin : ""));
    if (source.IsStandin)
        NativeLibrary.Restore(Path.Combine(root, "nuget", "standin"));
}

int Pack()
{
    var packages = Path.Combine(artifacts, "packages");
    DeleteFolder(packages);
    // The tool takes all that is in its folder, be it left from another source of ML.NET.
    DeleteFolder(Path.Combine(root, "src", "MLNetQuant.Cli", "bin", "Release"));
    return Child.Dotnet(root, ["pack", solution, "-c", "Release", "--nologo", "-o", packages, .. rest]);
}

int Build(string[] more) =>
    Child.Dotnet(root, ["build", solution, "-c", "Release", "-v", "quiet", "--nologo", .. more]);

int Test()
{
    var exit = Build([]);
    if (exit != 0)
        return exit;
    var results = Path.Combine(artifacts, "test-results");
    DeleteFolder(results);
    // One project at a time (-m:1): messages stay together, and no test is timed beside another project's.
    exit = Child.Dotnet(root, ["test", solution, "--no-build", "-c", "Release", "--nologo", "-m:1",
        "--logger", "trx", "--results-directory", results, .. rest]);
    return TestResults.Read(results).Print(exit);
}

void Clean()
{
    DeleteFolder(artifacts);
    string[] rooms = ["src", "tests", "samples", Path.Combine("nuget", "standin")];
    foreach (var room in rooms.Select(r => Path.Combine(root, r)).Where(Directory.Exists))
    {
        // Only beside a project file: node_modules is left alone.
        foreach (var folder in Directory.GetDirectories(room).Where(d => Directory.EnumerateFiles(d, "*.csproj").Any()))
        {
            DeleteFolder(Path.Combine(folder, "bin"));
            DeleteFolder(Path.Combine(folder, "obj"));
        }
    }

    PackageSource.Forget(root);
}

static void DeleteFolder(string folder)
{
    if (Directory.Exists(folder))
        Directory.Delete(folder, recursive: true);
}

/// <summary>Where ML.NET and ONNX Runtime come from: the public packages, or the stand-ins of nuget/standin.</summary>
internal sealed partial record PackageSource(string Name, string Version)
{
    /// <summary>What is said where packages are made without the public ones.</summary>
    public const string PackingOnStandin = "; packages made so are for tests only, do not publish them: "
        + "they are compiled against the stand-ins, and the tool contains these";

    private const string Packages = "packages";
    private const string Standin = "standin";

    public bool IsStandin => Name == Standin;

    public string Line => IsStandin
        ? $"ML.NET: stand-ins in nuget/standin (the package feed lacks Microsoft.ML {Version})"
        : $"ML.NET: packages Microsoft.ML {Version}";

    /// <summary>Takes the environment's word, then the remembered answer, and asks the feed only without either.</summary>
    public static PackageSource Find(string root, string artifacts)
    {
        var version = XDocument.Load(Path.Combine(root, "Directory.Packages.props")).Descendants("MLNetVersion").Single().Value;
        var name = Environment.GetEnvironmentVariable("MLNetSource") ?? Remembered(root);
        if (name is null)
        {
            name = FeedHasPackages(root, artifacts) ? Packages : Standin;
            Remember(root, name);
        }

        return name is Packages or Standin
            ? new PackageSource(name, version)
            : throw new BuildException($"MLNetSource is '{name}': give '{Packages}' or '{Standin}'.");
    }

    public static void Forget(string root) => File.Delete(PropsFile(root));

    private static string PropsFile(string root) => Path.Combine(root, "MLNetSource.props");

    private static string? Remembered(string root) => File.Exists(PropsFile(root))
        ? XDocument.Load(PropsFile(root)).Descendants("MLNetSource").FirstOrDefault()?.Value
        : null;

    private static void Remember(string root, string name) => File.WriteAllText(PropsFile(root), $"""
        <Project>
          <PropertyGroup>
            <MLNetSource>{name}</MLNetSource>
          </PropertyGroup>
        </Project>

        """);

    /// <summary>Restores an empty project that names the packages.</summary>
    /// <exception cref="BuildException">The restore failed for any other reason than packages that are not there.</exception>
    private static bool FeedHasPackages(string root, string artifacts)
    {
        var folder = Directory.CreateDirectory(Path.Combine(artifacts, "package-source")).FullName;
        var project = Path.Combine(folder, "package-source.csproj");
        File.WriteAllText(project, """
            <Project Sdk="Microsoft.NET.Sdk">
              <ItemGroup>
                <PackageReference Include="Microsoft.ML" />
                <PackageReference Include="Microsoft.ML.OnnxTransformer" />
                <PackageReference Include="Microsoft.ML.OnnxRuntime" />
              </ItemGroup>
            </Project>
            """);
        var (exit, output) = Child.Capture(root, ["restore", project, $"-p:MLNetSource={Packages}"]);
        if (exit == 0)
            return true;
        var errors = ErrorLine().Matches(output);
        if (errors.Count > 0 && errors.All(e => NoSuchPackage().IsMatch(e.Value)))
            return false;
        throw new BuildException($"{output.TrimEnd()}{Environment.NewLine}The packages of ML.NET could not be restored: mend the errors above, then run this again.");
    }

    [GeneratedRegex(@"\berror( [A-Z]+\d+)? ?:.*")]
    private static partial Regex ErrorLine();

    // NU1603: another version stands in for the one asked for, which no build here is meant to use.
    [GeneratedRegex(@"^error NU1(101|102|603): .*\bMicrosoft\.ML\b")]
    private static partial Regex NoSuchPackage();
}

/// <summary>The native ONNX Runtime for the stand-in, from an npm package that carries it for all platforms.</summary>
internal static class NativeLibrary
{
    /// <summary>Runs npm ci unless what it wrote last is newer than the lock file.</summary>
    public static void Restore(string folder)
    {
        var restored = new FileInfo(Path.Combine(folder, "node_modules", ".package-lock.json"));
        var locked = new FileInfo(Path.Combine(folder, "package-lock.json"));
        if (restored.Exists && restored.LastWriteTimeUtc >= locked.LastWriteTimeUtc)
            return;
        var name = OperatingSystem.IsWindows() ? "npm.cmd" : "npm";
        var npm = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(p => Path.Combine(p.Trim('"'), name)).FirstOrDefault(File.Exists)
            ?? throw new BuildException("The native ONNX Runtime comes from an npm package, and npm is not on the PATH: install Node.js, then run this again.");
        var exit = Child.Run(npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"], folder);
        if (exit != 0)
            throw new BuildException($"'npm ci' in nuget/standin ended with {exit}, so the native ONNX Runtime is missing: mend the errors above, then run this again.");
    }
}

/// <summary>Programs that this one starts.</summary>
internal static class Child
{
    // What 'dotnet run' sets for its own MSBuild and would lead another one astray.
    private static readonly string[] Unwanted = ["MSBUILD_EXE_PATH", "MSBuildSDKsPath", "MSBuildExtensionsPath", "MSBuildLoadMicrosoftTargetsReadOnly"];

    /// <summary>The dotnet that runs this program; it need not be on the PATH.</summary>
    private static string DotnetPath
    {
        get
        {
            var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
            var beside = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name));
            return File.Exists(beside) ? beside : name;
        }
    }

    public static int Dotnet(string folder, string[] arguments) => Run(DotnetPath, arguments, folder);

    public static int Run(string file, string[] arguments, string folder)
    {
        using var process = Process.Start(Describe(file, arguments, folder))!;
        process.WaitForExit();
        return process.ExitCode;
    }

    public static (int Exit, string Output) Capture(string folder, string[] arguments)
    {
        var start = Describe(DotnetPath, arguments, folder);
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.Result);
    }

    private static ProcessStartInfo Describe(string file, string[] arguments, string folder)
    {
        var start = new ProcessStartInfo(file, arguments) { WorkingDirectory = folder };
        foreach (var name in Unwanted)
            start.Environment.Remove(name);
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        return start;
    }
}

/// <summary>What the TRX files of a run say.</summary>
internal sealed record TestResults(int Passed, int Failed, IReadOnlyList<(string Test, string Reason)> Skipped, IReadOnlyList<string> Aborted)
{
    public static TestResults Read(string folder)
    {
        XNamespace ns = "http://microsoft.com/schemas/VisualStudio/TeamTest/2010";
        int passed = 0, failed = 0;
        List<(string, string)> skipped = [];
        List<string> aborted = [];
        string[] files = Directory.Exists(folder) ? [.. Directory.GetFiles(folder, "*.trx").Order()] : [];
        foreach (var file in files)
        {
            var run = XDocument.Load(file).Root!;
            var counters = run.Descendants(ns + "Counters").Single();
            passed += Count("passed");
            failed += Count("failed") + Count("error") + Count("timeout") + Count("aborted");
            // VSTest leaves its "notExecuted" counter at 0; the results themselves tell.
            skipped.AddRange(run.Descendants(ns + "UnitTestResult")
                .Where(r => (string?)r.Attribute("outcome") == "NotExecuted")
                .Select(r => ((string)r.Attribute("testName")!, r.Descendants(ns + "Message").FirstOrDefault()?.Value ?? "no reason given")));

            // A host that crashes takes its tests with it: no counter tells.
            aborted.AddRange(run.Descendants(ns + "RunInfo").Select(i => i.Value.Trim()).Where(t => t.Contains("aborted", StringComparison.Ordinal)));

            int Count(string name) => int.Parse(counters.Attribute(name)?.Value ?? "0", CultureInfo.InvariantCulture);
        }

        return new TestResults(passed, failed + aborted.Count, skipped, aborted);
    }

    /// <summary>Prints the skipped tests by reason, then the totals as the last line.</summary>
    /// <returns>The exit code: 0 only if tests ran, none failed, and dotnet test itself is content.</returns>
    public int Print(int dotnetExit)
    {
        Console.WriteLine();
        foreach (var group in Skipped.GroupBy(s => s.Reason))
        {
            Console.WriteLine($"Skipped: {group.Key}");
            foreach (var (test, _) in group.Order())
                Console.WriteLine($"  {test}");
        }

        foreach (var reason in Aborted)
            Console.WriteLine($"Tests are missing, counted as one that failed: {reason}");
        if (dotnetExit != 0 && Failed == 0)
            Console.WriteLine($"dotnet test ended with {dotnetExit} though no test failed: see above.");
        if (Passed + Failed == 0)
            Console.WriteLine("No test ran.");
        Console.WriteLine($"{Passed} passed, {Failed} failed, {Skipped.Count} skipped");
        return Failed == 0 && Passed > 0 ? dotnetExit : 1;
    }
}

/// <summary>A sentence for the user; there is nothing to gain from its stack.</summary>
internal sealed class BuildException(string message) : Exception(message);
