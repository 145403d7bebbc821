using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Graph;

public class AtomicFileTests
{
    [Fact]
    public void A_path_in_a_missing_folder_is_refused_by_its_name()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("missing/model.onnx");
        var e = Assert.Throws<QuantizationException>(() => AtomicFile.Write(path, s => s.WriteByte(1)));
        Assert.StartsWith($"The file '{path}' cannot be written (", e.Message, StringComparison.Ordinal);
        Assert.EndsWith("): give a path in an existing folder that you may write to.", e.Message, StringComparison.Ordinal);
        Assert.Empty(folder.Files());
    }

    [Fact]
    public void A_folder_in_the_way_is_refused_and_nothing_is_left()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("model.onnx"));
        var e = Assert.Throws<QuantizationException>(() => AtomicFile.Write(folder.File("model.onnx"), s => s.WriteByte(1)));
        Assert.Contains("cannot be written", e.Message, StringComparison.Ordinal);
        Assert.Equal(["model.onnx"], folder.Files());
    }

    [Fact]
    public void A_file_taken_for_a_folder_is_refused()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("file"), [1]);
        Assert.Throws<QuantizationException>(() => AtomicFile.Write(folder.File("file/model.onnx"), s => s.WriteByte(1)));
        Assert.Equal(["file"], folder.Files());
    }

    [Fact]
    public void A_writer_that_fails_leaves_the_old_file_and_no_other()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("model.onnx");
        File.WriteAllBytes(path, [1, 2, 3]);
        var e = Assert.Throws<QuantizationException>(() => AtomicFile.Write(path, s =>
        {
            s.WriteByte(9);
            throw new IOException("The disk is full.");
        }));
        Assert.Contains("(The disk is full)", e.Message, StringComparison.Ordinal);
        Assert.Equal([1, 2, 3], File.ReadAllBytes(path));
        Assert.Equal(["model.onnx"], folder.Files());
    }

    [Fact]
    public void A_writer_that_is_cancelled_leaves_the_old_file_and_no_other()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("model.onnx");
        Assert.Throws<OperationCanceledException>(() => AtomicFile.Write(path, _ => throw new OperationCanceledException()));
        Assert.Empty(folder.Files());
    }
}
