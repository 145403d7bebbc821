using Microsoft.ML.OnnxRuntime;
using MLNetQuant.Onnx.Calibration;
using MLNetQuant.Onnx.External;
using MLNetQuant.Onnx.Proto;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.External;

public sealed class ExternalSavingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly GraphBuilder _net = SmallNets.FourLayers();

    [Theory]
    [InlineData(ExternalData.Always, 1_000_000, true)]
    [InlineData(ExternalData.Never, 0, false)]
    [InlineData(ExternalData.Auto, 15_000, true)]
    [InlineData(ExternalData.Auto, 1_000_000, false)]
    public void A_saved_model_opens_by_its_path_and_computes_the_same(ExternalData externalData, long mostOfAuto, bool apart)
    {
        var path = _folder.File("q.onnx");
        ModelFiles.Save(_net.Proto(), "q", path, externalData, mostOfAuto);
        Assert.Equal(apart ? ["q.onnx", "q.onnx.data"] : ["q.onnx"], _folder.Files());
        var written = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path)).Graph.Initializer;
        Assert.Equal(apart ? ["W3"] : [], written.Where(t => t.DataLocation == TensorProto.Types.DataLocation.External && t.Dims[0] == 40 && t.Dims[1] == 96).Select(t => t.Name));
        Assert.DoesNotContain(written, t => t.Name.StartsWith('b') && t.ExternalData.Count > 0);
        var x = _net.Rows(5, 3, 8, 8);
        Assert.Equal(Runtime.Run(_net.Build(), "y", ("x", x)), RunFile(path, x));
        Assert.Equal(Runtime.Run(_net.Build(), "y", ("x", x)), Runtime.Run(OnnxModel.Parse(OnnxModel.Load(path).ToBytes()), "y", ("x", x)));
    }

    [Fact]
    public void Large_tensors_begin_on_pages_and_lie_where_the_model_says()
    {
        var b = new GraphBuilder().Input("x", "N,50").Weight("A", 50, 30).Weight("B", 30, 31).Weight("small", 256).Weight("C", 31, 9)
            .Node("MatMul", "x,A", "a").Node("MatMul", "a,B", "b").Node("MatMul", "b,C", "y").Node("Identity", "small", "s").Output("y").Output("s");
        OnnxModel.Parse(b.Build().ToBytes()).Save(_folder.File("m.onnx"), ExternalData.Always);
        var data = File.ReadAllBytes(_folder.File("m.onnx.data"));
        var tensors = ModelProto.Parser.ParseFrom(File.ReadAllBytes(_folder.File("m.onnx"))).Graph.Initializer;
        Assert.Equal([("A", "0", "6000"), ("B", "8192", "3720"), ("C", "12288", "1116")], tensors.Where(t => t.ExternalData.Count > 0).Select(t => (t.Name, Entry(t, "offset"), Entry(t, "length"))));
        Assert.All(tensors.Where(t => t.ExternalData.Count > 0), t => Assert.Equal("m.onnx.data", Entry(t, "location")));
        Assert.Equal(12288 + 1116, data.Length);
        Assert.Equal(b.Graph.Initializer[1].FloatData.SelectMany(BitConverter.GetBytes), data[8192..11912]);
    }

    [Fact]
    public void A_quantized_model_is_saved_as_its_options_ask()
    {
        var options = new QuantizationOptions { ExternalData = ExternalData.Always, Exclude = ["head"] };
        var rows = CalibrationRows.Of(("x", _net.Rows(9, 3, 8, 8)));
        var result = ModelQuantizer.Quantize(_net.Build(), rows, options);
        result.Model.Save(_folder.File("model.onnx"));
        Assert.Equal(["model.onnx", "model.onnx.data"], _folder.Files());
        var loaded = OnnxModel.Load(_folder.File("model.onnx"));
        Assert.Equal((loaded.SizeInBytes, loaded.SizeInBytes), (result.Model.SizeInBytes, result.Report.QuantizedBytes));
        Assert.Equal(loaded.Sha256, result.Model.Sha256);
        Assert.Equal(0, Assert.Single(ModelComparer.Compare(result.Model, loaded, rows).Outputs).RelativeError);
    }

    [Fact]
    public void A_model_may_be_saved_over_the_files_it_came_from()
    {
        var path = ExternalModel.Write(_folder, _net.Proto(), ("W2", "model.onnx.data", 8192), ("W3", "model.onnx.data", 64));
        var bytes = OnnxModel.Load(path).ToBytes();
        OnnxModel.Load(path).Save(path, ExternalData.Always);
        Assert.Equal(["model.onnx", "model.onnx.data"], _folder.Files());
        Assert.Equal(bytes, OnnxModel.Load(path).ToBytes());
    }

    [Fact]
    public void A_model_that_cannot_be_put_in_place_leaves_the_data_file_that_was_there()
    {
        Directory.CreateDirectory(_folder.File("q.onnx"));
        Assert.Contains("'" + _folder.File("q.onnx") + "' cannot be written", Refusal(() => _net.Build().Save(_folder.File("q.onnx"), ExternalData.Always)), StringComparison.Ordinal);
        Assert.Equal(["q.onnx"], _folder.Files());
        File.WriteAllBytes(_folder.File("q.onnx.data"), [1, 2, 3]);
        Refusal(() => _net.Build().Save(_folder.File("q.onnx"), ExternalData.Always));
        Assert.Equal(["q.onnx", "q.onnx.data"], _folder.Files());
        Assert.Equal([1, 2, 3], File.ReadAllBytes(_folder.File("q.onnx.data")));
    }

    [Fact]
    public void A_data_file_that_cannot_be_put_in_place_or_written_leaves_nothing()
    {
        Directory.CreateDirectory(_folder.File("q.onnx.data"));
        Assert.Contains("q.onnx.data' cannot be written", Refusal(() => _net.Build().Save(_folder.File("q.onnx"), ExternalData.Always)), StringComparison.Ordinal);
        Assert.Equal(["q.onnx.data"], _folder.Files());

        var source = OnnxModel.Load(ExternalModel.Write(_folder, _net.Proto(), ("W3", "w.bin", 0)));
        File.WriteAllBytes(_folder.File("w.bin"), new byte[7]);
        foreach (var choice in Enum.GetValues<ExternalData>())
            Assert.Contains("w.bin' has changed", Refusal(() => source.Save(_folder.File("other.onnx"), choice)), StringComparison.Ordinal);
        Assert.Equal(["model.onnx", "q.onnx.data", "w.bin"], _folder.Files());
    }

    [Fact]
    public void One_file_above_2_GB_is_refused_before_the_work()
    {
        const string Sentence = "would have 3.22 GB, and one ONNX file holds at most 2.14: allow external data, which ML.NET cannot load, or use fewer bits.";
        var model = OnnxModel.Load(ExternalModel.WriteHuge(_folder));
        Assert.EndsWith(Sentence, Refusal(() => model.Save(_folder.File("q.onnx"), ExternalData.Never)), StringComparison.Ordinal);
        Assert.EndsWith(Sentence, Refusal(() => model.ToBytes()), StringComparison.Ordinal);
        var seen = new List<QuantizationProgress>();
        var options = new QuantizationOptions { ExternalData = ExternalData.Never, Exclude = ["huge"], Progress = new Callback(seen.Add) };
        Assert.EndsWith(Sentence, Refusal(() => ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", _net.Rows(2, 4))), options)), StringComparison.Ordinal);
        Assert.Empty(seen);
        Assert.Equal(["huge.bin", "model.onnx"], _folder.Files());
    }

    [Fact]
    public void A_session_of_a_large_model_goes_through_files_that_go_with_it()
    {
        var x = _net.Rows(5, 3, 8, 8);
        using var session = new OnnxSession(_net.Proto(), mostInMemory: 0);
        Assert.Equal(Runtime.Run(_net.Build(), "y", ("x", x)), session.Run(new Dictionary<string, OnnxTensor> { ["x"] = x }, ["y"])["y"].Values<float>().ToArray());
        var files = new TemporaryModel(_net.Proto());
        Assert.Equal(["model.onnx", "model.onnx.data"], new FileInfo(files.Path).Directory!.EnumerateFiles().Select(f => f.Name).Order(StringComparer.Ordinal));
        files.Dispose();
        Assert.False(Directory.Exists(Path.GetDirectoryName(files.Path)));
    }

    public void Dispose() => _folder.Dispose();

    private static string Entry(TensorProto tensor, string key) => tensor.ExternalData.Single(e => e.Key == key).Value;

    private static string Refusal(Action action) => Assert.Throws<QuantizationException>(action).Message;

    /// <summary>What ONNX Runtime computes from the files alone.</summary>
    private static float[] RunFile(string path, OnnxTensor x)
    {
        using var session = new InferenceSession(path);
        using var options = new RunOptions();
        using var value = x.ToOrtValue();
        using var results = session.Run(options, new Dictionary<string, OrtValue> { ["x"] = value }, ["y"]);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }

    private sealed class Callback(Action<QuantizationProgress> report) : IProgress<QuantizationProgress>
    {
        public void Report(QuantizationProgress value) => report(value);
    }
}
