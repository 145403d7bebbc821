using System.Text;
using Google.Protobuf;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Graph;

public class OnnxModelTests
{
    [Fact]
    public void A_missing_file_is_named()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("none.onnx");
        var e = Assert.Throws<QuantizationException>(() => OnnxModel.Load(path));
        Assert.Equal($"The model file '{path}' does not exist: check the path.", e.Message);
        Assert.Throws<QuantizationException>(() => OnnxModel.Load(folder.File("no/folder/model.onnx")));
    }

    [Fact]
    public void A_folder_is_not_a_model()
    {
        using var folder = new TemporaryFolder();
        var e = Assert.Throws<QuantizationException>(() => OnnxModel.Load(folder.Path));
        Assert.StartsWith($"The model file '{folder.Path}' cannot be read: ", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_file_is_called_empty()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("empty.onnx");
        File.WriteAllBytes(path, []);
        var e = Assert.Throws<QuantizationException>(() => OnnxModel.Load(path));
        Assert.Equal($"The model '{path}' is empty: give a complete ONNX file.", e.Message);
    }

    [Fact]
    public void Inputs_that_ML_NET_passes_over_are_fed_only_if_something_reads_them()
    {
        var model = new GraphBuilder().Input("x", "N,4").Input("mlnet.a.unusedInput", "N,1").Input("mlnet.b.unusedInput", "N,1").Input("mlnet.c", "N,1")
            .Node("Relu", "x", "y").Node("Relu", "mlnet.b.unusedInput", "mlnet.y.unusedOutput").Output("y").Output("mlnet.y.unusedOutput").Build();
        Assert.Equal(["x", "mlnet.b.unusedInput", "mlnet.c"], model.Inputs.Select(i => i.Name));
        Assert.Equal([true, false, true], model.Inputs.Select(i => i.IsColumn));
        Assert.Equal([("y", true), ("mlnet.y.unusedOutput", false)], model.Outputs.Select(o => (o.Name, o.IsColumn)));
    }

    [Fact]
    public void A_file_cut_anywhere_is_refused_or_whole()
    {
        var bytes = OneLayer().Proto().ToByteArray();
        for (var length = 1; length < bytes.Length; length++)
        {
            var e = Assert.Throws<QuantizationException>(() => OnnxModel.Parse(bytes.AsSpan(0, length), "cut.onnx"));
            Assert.Contains("'cut.onnx'", e.Message, StringComparison.Ordinal);
            Assert.EndsWith("ONNX file.", e.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("not a model at all")]
    [InlineData("{\"json\": 1}")]
    [InlineData("PK\u0003\u0004 zip")]
    [InlineData("\u0000\u0000\u0000\u0000")]
    public void A_file_that_is_something_else_is_refused(string content)
    {
        var e = Assert.Throws<QuantizationException>(() => OnnxModel.Parse(Encoding.Latin1.GetBytes(content), "other.bin"));
        Assert.StartsWith("The model 'other.bin' is ", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Random_bytes_are_refused()
    {
        var random = new Random(4);
        for (var i = 0; i < 2000; i++)
        {
            var bytes = new byte[random.Next(1, 200)];
            random.NextBytes(bytes);
            Assert.Throws<QuantizationException>(() => OnnxModel.Parse(bytes));
        }
    }

    [Fact]
    public void Inputs_leave_out_initializers_and_tell_open_extents()
    {
        var model = new GraphBuilder(opset: 8, ir: 3)
            .Input("x", "N,4").Input("W", "4,2").Weight("W", 4, 2).Node("MatMul", "x,W", "y").Output("y").Build();
        var input = Assert.Single(model.Inputs);
        Assert.Equal("x", input.Name);
        Assert.Equal([-1L, 4L], input.Shape);
        Assert.Equal("Float[N,4]", input.Text);
        Assert.Equal("Float[…]", Assert.Single(model.Outputs).Text);
    }

    [Fact]
    public void A_model_saved_and_loaded_is_the_same_bytes_and_replaces_what_stood_there_whole()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("model.onnx");
        File.WriteAllBytes(path, new byte[100_000]);
        var model = OneLayer().Build();
        model.Save(path);
        Assert.Equal(model.ToBytes(), File.ReadAllBytes(path));
        Assert.Equal(model.SizeInBytes, new FileInfo(path).Length);
        Assert.Equal(["model.onnx"], folder.Files());
        Assert.Equal(model.ToBytes(), OnnxModel.Load(path).ToBytes());
    }

    [Fact]
    public void A_field_that_this_version_does_not_know_survives()
    {
        // Field 30, a string, at the end of the model.
        byte[] bytes = [.. OneLayer().Proto().ToByteArray(), 0xF2, 0x01, 0x02, (byte)'h', (byte)'i'];
        Assert.Equal(bytes.Order(), OnnxModel.Parse(bytes).ToBytes().Order());
    }

    private static GraphBuilder OneLayer() =>
        new GraphBuilder().Input("x", "N,4").Weight("W", 4, 2).Node("MatMul", "x,W", "y").Output("y");
}
