using System.Xml.Linq;
using MLNetQuant.Cli.Tests;

namespace MLNetQuant.Packages.Tests;

/// <summary>Versions as the repository's own files state them.</summary>
internal sealed record Versions(string Product, string MLNet, string OnnxRuntime, string Protobuf)
{
    public static Versions Read()
    {
        var packages = XDocument.Load(Path.Combine(Repository.Root, "Directory.Packages.props"));
        var build = XDocument.Load(Path.Combine(Repository.Root, "Directory.Build.props"));
        var protobuf = packages.Descendants("PackageVersion").Single(p => p.Attribute("Include")!.Value == "Google.Protobuf"
            && p.Attribute("Condition")!.Value == $"'$(MLNetSource)' {(StandinFeed.IsNeeded ? "!=" : "==")} 'packages'");
        return new Versions(
            build.Descendants("Version").Single().Value,
            packages.Descendants("MLNetVersion").Single().Value,
            packages.Descendants("OnnxRuntimeVersion").Single().Value,
            protobuf.Attribute("Version")!.Value);
    }
}
