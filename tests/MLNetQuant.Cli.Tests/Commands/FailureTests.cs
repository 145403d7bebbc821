using MLNetQuant.Cli.Tests.Data;

namespace MLNetQuant.Cli.Tests.Commands;

/// <summary>What goes wrong before any work: one sentence, exit code 1 or 2, and no file.</summary>
public sealed class FailureTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_missing_model() => Quantize(_folder["m.onnx"], "q.onnx", Rows())
        .ShouldFail(1, $"The model file '{_folder["m.onnx"]}' does not exist: check the path.");

    [Fact]
    public void An_empty_model() => Quantize(_folder.Write("m.onnx", []), "q.onnx", Rows())
        .ShouldFail(1, $"The model '{_folder["m.onnx"]}' is empty: give a complete ONNX file.");

    [Fact]
    public void A_truncated_model() =>
        Quantize(_folder.Write("m.onnx", File.ReadAllBytes(Repository.SampleModel)[..^1000]), "q.onnx", Rows())
            .ShouldFail(1, $"The model '{_folder["m.onnx"]}' is truncated or not an ONNX file: give a complete ONNX file.");

    [Fact]
    public void Missing_data() => Quantize(Repository.SampleModel, "q.onnx", _folder["c.npz"])
        .ShouldFail(1, $"The data file '{_folder["c.npz"]}' does not exist: check the path.");

    [Fact]
    public void Empty_data() => Quantize(Repository.SampleModel, "q.onnx", _folder.Write("c.npz", []))
        .ShouldFail(1, $"The array '{_folder["c.npz"]}' is empty: write it with numpy.save.");

    [Fact]
    public void Data_that_are_no_NumPy_file() => Quantize(Repository.SampleModel, "q.onnx", _folder.Write("c.csv", "1,2,3,4,5"u8.ToArray()))
        .ShouldFail(1, $"The array '{_folder["c.csv"]}' is not in NumPy's format: write it with numpy.save.");

    [Fact]
    public void A_folder_for_data()
    {
        var result = Quantize(Repository.SampleModel, "q.onnx", Repository.Root);

        Assert.Equal(1, result.Exit);
        Assert.StartsWith($"The data file '{Repository.Root}' cannot be read: ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_output_folder_that_does_not_exist_is_noticed_before_the_model_is_read() =>
        Quantize(_folder["m.onnx"], Path.Combine("none", "q.onnx"), Rows())
            .ShouldFail(1, $"The file '{_folder[Path.Combine("none", "q.onnx")]}' cannot be written (its folder does not exist): give a path in an existing folder that you may write to.");

    [Fact]
    public void A_folder_for_output() => Quantize(_folder["m.onnx"], "", Rows())
        .ShouldFail(1, $"The file '{_folder[""]}' cannot be written (it is a folder): give the path of a file.");

    [Fact]
    public void A_report_folder_that_does_not_exist_is_noticed_before_the_model_is_read()
    {
        var json = _folder[Path.Combine("none", "r.json")];
        var sentence = $"The file '{json}' cannot be written (its folder does not exist): give a path in an existing folder that you may write to.";
        CommandLine.Run("quantize", _folder["m.onnx"], "-o", _folder["q.onnx"], "--calibration", Rows(), "--json", json).ShouldFail(1, sentence);
        CommandLine.Run("inspect", _folder["m.onnx"], "--json", json).ShouldFail(1, sentence);
        CommandLine.Run("compare", _folder["m.onnx"], _folder["m.onnx"], "--data", Rows(), "--json", json).ShouldFail(1, sentence);
    }

    [Fact]
    public void The_output_is_never_written_over_another_file_of_the_command()
    {
        var model = _folder.Write("m.onnx", [1]);
        var rows = Rows();
        Quantize(model, "m.onnx", rows).ShouldFail(2, Twice(model));
        Quantize(model, "c.npy", rows).ShouldFail(2, Twice(rows));
        Quantize(model, Path.Combine(".", "none", "..", "m.onnx"), rows).ShouldFail(2, Twice(_folder[Path.Combine(".", "none", "..", "m.onnx")]));
        CommandLine.Run("quantize", model, "-o", _folder["q.onnx"], "--calibration", rows, "--json", _folder["q.onnx"]).ShouldFail(2, Twice(_folder["q.onnx"]));
        CommandLine.Run("inspect", model, "--json", model).ShouldFail(2, Twice(model));
        CommandLine.Run("compare", model, model, "--data", rows, "--json", rows).ShouldFail(2, Twice(rows));
        Assert.Equal([1], File.ReadAllBytes(model));

        static string Twice(string path) =>
            $"The file '{path}' is named twice, and writing it would destroy the other: give another output path.";
    }

    [Fact]
    public void The_output_is_not_written_over_the_model_through_a_link()
    {
        var model = _folder.Write("m.onnx", [1]);
        try
        {
            File.CreateSymbolicLink(_folder["link.onnx"], model);
        }
        catch (IOException)
        {
            return; // Windows grants links to developers and administrators only.
        }

        Assert.Equal(2, Quantize(_folder["link.onnx"], "m.onnx", Rows()).Exit);
        Assert.Equal([1], File.ReadAllBytes(model));
    }

    [Fact]
    public void No_failure_leaves_a_file()
    {
        Quantize(Repository.SampleModel, "q.onnx", _folder.Write("bad.npy", [1, 2, 3]));

        Assert.Equal(["bad.npy"], _folder.Files);
    }

    public void Dispose() => _folder.Dispose();

    private string Rows() => _folder.Write("c.npy", NpyBytes.Of("<f4", "1, 1, 28, 28", new byte[4 * 784]));

    private CommandResult Quantize(string model, string output, string data) =>
        CommandLine.Run("quantize", model, "-o", _folder[output], "--calibration", data);
}
