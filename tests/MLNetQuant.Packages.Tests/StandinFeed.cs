using System.IO.Compression;
using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.OnnxRuntime;

namespace MLNetQuant.Packages.Tests;

/// <summary>
/// Where the package feed lacks ML.NET: packages of its names and versions, made of the stand-ins that these tests run on,
/// in the tests' own folder, so that a project can be restored which names them.
/// </summary>
internal static class StandinFeed
{
    /// <summary>Whether the tests run on the stand-ins: the public library has no assembly of that name.</summary>
    public static bool IsNeeded => typeof(MLContext).Assembly.GetName().Name == "Microsoft.ML";

    public static void Write(string folder, Versions versions)
    {
        Write("Microsoft.ML", versions.MLNet, [typeof(MLContext).Assembly.Location], ("Google.Protobuf", versions.Protobuf));
        Write("Microsoft.ML.OnnxTransformer", versions.MLNet, [], ("Microsoft.ML", versions.MLNet), ("Microsoft.ML.OnnxRuntime.Managed", versions.OnnxRuntime));
        Write("Microsoft.ML.OnnxRuntime.Managed", versions.OnnxRuntime, [typeof(InferenceSession).Assembly.Location]);
        Write("Microsoft.ML.OnnxRuntime", versions.OnnxRuntime, [], ("Microsoft.ML.OnnxRuntime.Managed", versions.OnnxRuntime));

        void Write(string id, string version, string[] assemblies, params (string Id, string Version)[] dependencies)
        {
            using var zip = ZipFile.Open(Path.Combine(folder, $"{id}.{version}.nupkg"), ZipArchiveMode.Create);
            AddText(zip, $"{id}.nuspec", $"""
                <package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd">
                  <metadata>
                    <id>{id}</id>
                    <version>{version}</version>
                    <authors>MLNetQuant tests</authors>
                    <description>Made of a stand-in, for one test.</description>
                    <dependencies>
                      <group targetFramework="net10.0">
                        {string.Concat(dependencies.Select(d => $"<dependency id=\"{d.Id}\" version=\"{d.Version}\" />"))}
                      </group>
                    </dependencies>
                  </metadata>
                </package>
                """);
            if (assemblies.Length == 0)
                AddText(zip, "lib/net10.0/_._", "");
            foreach (var assembly in assemblies)
                zip.CreateEntryFromFile(assembly, $"lib/net10.0/{Path.GetFileName(assembly)}", CompressionLevel.Fastest);
            if (id == "Microsoft.ML.OnnxRuntime")
                AddNativeLibrary(zip);
        }
    }

    /// <summary>The native library goes beside the application, where the stand-in looks for it.</summary>
    private static void AddNativeLibrary(ZipArchive zip)
    {
        var name = OperatingSystem.IsWindows() ? "onnxruntime.dll" : OperatingSystem.IsMacOS() ? "libonnxruntime.1.dylib" : "libonnxruntime.so.1";
        var native = $"runtimes/{RuntimeInformation.RuntimeIdentifier}/native/{name}";
        zip.CreateEntryFromFile(Path.Combine(AppContext.BaseDirectory, name), native, CompressionLevel.NoCompression);
        AddText(zip, "build/Microsoft.ML.OnnxRuntime.targets", $"""
            <Project>
              <ItemGroup>
                <None Include="$(MSBuildThisFileDirectory)../{native}" Link="{name}" CopyToOutputDirectory="PreserveNewest" />
              </ItemGroup>
            </Project>
            """);
    }

    private static void AddText(ZipArchive zip, string name, string text)
    {
        using var writer = new StreamWriter(zip.CreateEntry(name).Open());
        writer.Write(text);
    }
}
