using System.Globalization;
using MLNetQuant.Cli.Tests;

namespace MLNetQuant.Packages.Tests;

/// <summary>What a user does first: install the packages, run.</summary>
[Collection(Packed.Name)]
public sealed class InstallationTests(PackedRepository packed)
{
    [Fact]
    public async Task A_new_console_project_installs_the_library_and_quantizes_in_a_pipeline()
    {
        var folder = packed.CreateFolder("console");
        var samples = Path.Combine(Repository.Root, "samples");
        File.WriteAllText(Path.Combine(folder, "Console.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <NuGetAudit>false</NuGetAudit>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="MLNetQuant" Version="{packed.Versions.Product}" />
                <PackageReference Include="Microsoft.ML.OnnxRuntime" Version="{packed.Versions.OnnxRuntime}" />
                <Compile Include="{samples}/FashionMnist.cs" />
                <None Include="{samples}/data/**" LinkBase="data" CopyToOutputDirectory="PreserveNewest" />
              </ItemGroup>
            </Project>
            """);
        File.WriteAllText(Path.Combine(folder, "Program.cs"), """
            using System.Globalization;
            using Microsoft.ML;
            using MLNetQuant;
            using MLNetQuant.Algorithms;
            using Samples;

            var ml = new MLContext(seed: 1);
            var calibration = ml.Data.LoadFromEnumerable(FashionMnist.Read("train-1024").Take(128));
            var test = ml.Data.LoadFromEnumerable(FashionMnist.Read("test-2000").Take(500));
            var pipeline = ml.Transforms.CopyColumns("input", nameof(Image.Pixels)).Append(ml.Transforms.QuantizeWeights(
                FashionMnist.ModelFile, new QuantizationOptions { Bits = 4, Algorithm = new Gpfq() }));
            using var model = pipeline.Fit(calibration);
            var hits = ml.Data.CreateEnumerable<Scores>(model.Transform(test), reuseRowObject: true).Count(s => s.Best == s.Label);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{model.LastTransformer.Report.QuantizedBytes} {hits}"));
            """);

        await Dotnet.Run(folder, "build", "-c", "Release", "-o", "bin", "-v", "quiet", "-p:UseSharedCompilation=false");
        var printed = await Dotnet.Run(folder, Path.Combine("bin", "Console.dll"));

        var numbers = printed.Split().Where(n => n.Length > 0).Select(n => int.Parse(n, CultureInfo.InvariantCulture)).ToArray();
        Assert.InRange(numbers[0], 1, new FileInfo(Repository.SampleModel).Length / 6);
        Assert.InRange(numbers[1], 430, 500); // of 500 images; the float model knows 92 %
    }

    [Fact]
    public async Task A_new_tool_path_installs_the_command_and_quantizes_a_file()
    {
        var folder = packed.CreateFolder("tool");
        Repository.WriteCalibrationImages(Path.Combine(folder, "rows.npy"), 64, 1, 28, 28);

        await Dotnet.Run(folder, "tool", "install", "MLNetQuant.Cli", "--version", packed.Versions.Product, "--tool-path", "tools");
        var command = Path.Combine(folder, "tools", OperatingSystem.IsWindows() ? "mlnetquant.exe" : "mlnetquant");
        var printed = await Dotnet.RunProgram(
            command, folder, "quantize", Repository.SampleModel, "-o", "small.onnx", "--calibration", "rows.npy", "--bits", "4", "--algorithm", "gpfq");

        Assert.Contains("small.onnx", printed, StringComparison.Ordinal);
        Assert.InRange(new FileInfo(Path.Combine(folder, "small.onnx")).Length, 1, new FileInfo(Repository.SampleModel).Length / 6);
        Assert.Contains("folded", await Dotnet.RunProgram(command, folder, "quantize", "--help"), StringComparison.Ordinal);
    }
}
