using System.Security.Cryptography;
using Google.Protobuf;
using MLNetQuant.Onnx.Proto;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.External;

public sealed class ExternalReadingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static readonly (string, string, long)[] OneFile = [("W3", "all.bin", 4096), ("W2", "all.bin", 40), ("W4", "all.bin", 24_000), ("b3", "all.bin", 800)];

    private static readonly (string, string, long)[] SeveralFiles = [("W1", "a.bin", 0), ("W3", "parts/b.bin", 128), ("W4", "a.bin", 4096)];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Tensors_in_files_are_quantized_to_the_same_bytes_as_tensors_in_the_model(bool oneFile)
    {
        var b = SmallNets.FourLayers();
        var inline = OnnxModel.Parse(ExternalModel.Raw(b.Proto()).ToByteArray());
        var model = OnnxModel.Load(ExternalModel.Write(_folder, b.Proto(), oneFile ? OneFile : SeveralFiles));
        var rows = CalibrationRows.Of(("x", b.Rows(20, 3, 8, 8)));
        foreach (var options in new[] { new QuantizationOptions { Bits = 4 }, new QuantizationOptions { Exclude = ["gemm", "head"] } })
        {
            var (expected, actual) = (ModelQuantizer.Quantize(inline, rows, options), ModelQuantizer.Quantize(model, rows, options));
            Assert.Equal(WithoutMetadata(expected.Model), WithoutMetadata(actual.Model));
            Assert.Equal(expected.Report.Outputs, actual.Report.Outputs);
        }
    }

    [Fact]
    public void A_model_knows_its_data_files_its_size_and_its_digest()
    {
        var path = ExternalModel.Write(_folder, SmallNets.FourLayers().Proto(), SeveralFiles);
        var model = OnnxModel.Load(path);
        string[] files = [_folder.File("a.bin"), _folder.File("parts/b.bin")];
        Assert.Equal(files, model.DataFiles);
        Assert.Equal(files.Prepend(path).Sum(f => new FileInfo(f).Length), model.SizeInBytes);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData([.. files.Prepend(path).SelectMany(File.ReadAllBytes)])), model.Sha256);
    }

    [Fact]
    public void The_bytes_of_a_model_hold_what_its_files_did()
    {
        var b = SmallNets.FourLayers();
        var model = OnnxModel.Load(ExternalModel.Write(_folder, b.Proto(), OneFile));
        Assert.Equal(ExternalModel.Raw(b.Proto()).ToByteArray(), model.ToBytes());
    }

    [Fact]
    public void Two_models_with_data_files_can_be_compared()
    {
        var b = SmallNets.FourLayers();
        var model = OnnxModel.Load(ExternalModel.Write(_folder, b.Proto(), SeveralFiles));
        Assert.Equal(0, Assert.Single(ModelComparer.Compare(model, b.Build(), CalibrationRows.Of(("x", b.Rows(4, 3, 8, 8)))).Outputs).RelativeError);
    }

    [Fact]
    public void A_tensor_without_a_length_takes_what_its_shape_needs_and_a_constant_node_is_read()
    {
        var b = new GraphBuilder().Input("x", "N,40").Weight("W", 40, 30);
        var raw = ExternalModel.Raw(b.Proto());
        File.WriteAllBytes(_folder.File("w.bin"), [.. raw.Graph.Initializer[0].RawData, 1, 2, 3]);
        var tensor = raw.Graph.Initializer[0].Clone();
        ExternalModel.MakeExternal(tensor, ("location", "w.bin"), ("checksum", "not looked at"));
        var inside = new GraphBuilder().Input("x", "N,40").Node("Constant", "", "W", ("value", tensor)).Node("MatMul", "x,W", "y").Output("y");
        var model = OnnxModel.Load(ExternalModel.WriteModel(_folder, inside.Proto()));
        var x = b.Rows(3, 40);
        Assert.Equal(Runtime.Run(b.Node("MatMul", "x,W", "y").Output("y").Build(), "y", ("x", x)), Runtime.Run(OnnxModel.Parse(model.ToBytes()), "y", ("x", x)));
    }

    [Fact]
    public void Loading_reads_no_more_than_the_model()
    {
        var path = ExternalModel.WriteHuge(_folder);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var model = OnnxModel.Load(path);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.Equal((3L << 30) + new FileInfo(path).Length, model.SizeInBytes);
    }

    [Fact]
    public void Bytes_alone_are_refused()
    {
        var path = ExternalModel.Write(_folder, SmallNets.FourLayers().Proto(), SeveralFiles);
        Assert.Equal(
            "The model 'm' keeps the values of 'W1' in the file 'a.bin', which its bytes do not bring: load the model from its path.",
            Assert.Throws<QuantizationException>(() => OnnxModel.Parse(File.ReadAllBytes(path), "m")).Message);
    }

    [Theory]
    [InlineData("The data file '{folder}none.bin' of the model '{path}', which holds 'W', does not exist: put it there.", "location=none.bin")]
    [InlineData("The model '{path}' keeps the values of 'W' at the absolute path '/w.bin': export the model with its data beside it.", "location=/w.bin")]
    [InlineData("The model '{path}' keeps the values of 'W' at the absolute path 'C:/w.bin': export the model with its data beside it.", "location=C:/w.bin")]
    [InlineData("The model '{path}' keeps the values of 'W' in '../w.bin', outside its own folder: export the model with its data beside it.", "location=../w.bin")]
    [InlineData("The model '{path}' keeps the values of 'W' in 'a/../../w.bin', outside its own folder: export the model with its data beside it.", "location=a/../../w.bin")]
    [InlineData("The model '{path}' keeps the values of 'W' in another file and does not name it: export the model again.", "offset=0")]
    [InlineData("The model '{path}' keeps the values of 'W' in a file whose name has a character of code 0: export the model again.", "location=w\0.bin")]
    [InlineData("The data file '{folder}w.bin' has 60 bytes, too few for 'W', which has 48 bytes from 16 on: copy the file again.", "location=w.bin", "offset=16")]
    [InlineData("The data file '{folder}w.bin' has 60 bytes, too few for 'W', which has 48 bytes from 9223372036854775807 on: copy the file again.", "location=w.bin", "offset=9223372036854775807")]
    [InlineData("The model '{path}' gives 'W' 44 bytes of 'w.bin', and its shape needs 48: export the model again.", "location=w.bin", "length=44")]
    [InlineData("The model '{path}' does not say where 'W' lies in 'w.bin' (its offset is '-4'): export the model again.", "location=w.bin", "offset=-4")]
    [InlineData("The model '{path}' does not say where 'W' lies in 'w.bin' (its length is 'all'): export the model again.", "location=w.bin", "length=all")]
    public void A_tensor_that_its_file_does_not_hold_is_refused(string sentence, params string[] entries)
    {
        File.WriteAllBytes(_folder.File("w.bin"), new byte[60]);
        var model = SmallNets.OneLayer().Proto();
        ExternalModel.MakeExternal(model.Graph.Initializer[0], [.. entries.Select(e => (e.Split('=')[0], e.Split('=')[1]))]);
        var path = ExternalModel.WriteModel(_folder, model);
        var expected = sentence.Replace("{path}", path, StringComparison.Ordinal).Replace("{folder}", _folder.Path + Path.DirectorySeparatorChar, StringComparison.Ordinal);
        Assert.Equal(expected, Assert.Throws<QuantizationException>(() => OnnxModel.Load(path)).Message);
    }

    [Fact]
    public void Text_in_another_file_and_a_shape_beyond_all_bounds_are_refused()
    {
        var model = SmallNets.OneLayer().Proto();
        var tensor = model.Graph.Initializer[0];
        File.WriteAllBytes(_folder.File("w.bin"), new byte[60]);
        ExternalModel.MakeExternal(tensor, ("location", "w.bin"));
        tensor.Dims.Add([long.MaxValue / 2, 7]);
        Assert.Contains("is too large", Assert.Throws<QuantizationException>(() => OnnxModel.Load(ExternalModel.WriteModel(_folder, model))).Message, StringComparison.Ordinal);
        tensor.Dims[^1] = -7;
        Assert.Contains("has a negative extent", Assert.Throws<QuantizationException>(() => OnnxModel.Load(ExternalModel.WriteModel(_folder, model))).Message, StringComparison.Ordinal);
        tensor.DataType = (int)TensorProto.Types.DataType.String;
        Assert.Contains("keeps the text 'W'", Assert.Throws<QuantizationException>(() => OnnxModel.Load(ExternalModel.WriteModel(_folder, model))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_changed_or_went_after_loading_is_named()
    {
        var b = SmallNets.FourLayers();
        var path = ExternalModel.Write(_folder, b.Proto(), OneFile);
        var model = OnnxModel.Load(path);
        File.SetLastWriteTimeUtc(_folder.File("all.bin"), DateTime.UtcNow.AddHours(1));
        Assert.Equal(
            $"The data file '{_folder.File("all.bin")}' has changed since its model was loaded: load the model again.",
            Assert.Throws<QuantizationException>(model.ToBytes).Message);
        File.Delete(_folder.File("all.bin"));
        Assert.StartsWith(
            $"The data file '{_folder.File("all.bin")}', which holds 'W", Assert.Throws<QuantizationException>(model.ToBytes).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static byte[] WithoutMetadata(OnnxModel model)
    {
        var proto = ModelProto.Parser.ParseFrom(model.ToBytes());
        proto.MetadataProps.Clear();
        return proto.ToByteArray();
    }
}
