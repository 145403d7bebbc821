using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;
using DataType = MLNetQuant.Onnx.Proto.TensorProto.Types.DataType;

namespace MLNetQuant.Tests;

/// <summary>A model that computes with float16 between inputs and outputs of float, which ML.NET refuses as it is.</summary>
public sealed class HalfPrecisionTests : IDisposable
{
    private readonly ScratchFolder _folder = new();
    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void ML_NET_opens_the_quantized_file_whose_other_layer_stays_float16()
    {
        var path = new ModelFile().Input("x", DataType.Float, -1, 8).HalfWeights("W", 8, 6).HalfWeights("V", 6, 5)
            .Cast("h", "x", DataType.Float16).Node("MatMul", "m", "h", "W").Node("MatMul", "n", "m", "V").Node("Cast", "y", "n").Output("y", -1, 5)
            .Save(_folder["half.onnx"]);
        Row[] rows = [.. Enumerable.Range(0, 20).Select(r => new Row { X = [.. Enumerable.Range(0, 8).Select(i => MathF.Sin((8 * r) + i))] })];
        var data = _ml.Data.LoadFromEnumerable(rows);
        Assert.ThrowsAny<Exception>(() => _ml.Transforms.ApplyOnnxModel(path).Fit(data));

        using var model = _ml.Transforms.QuantizeWeights(path, new QuantizationOptions { Exclude = ["MatMul_n"] }).Fit(data);
        Assert.Single(model.Report.Layers);
        model.SaveOnnxModel(_folder["q.onnx"]);
        using var raw = new RawSession(_folder["q.onnx"]);
        var scored = model.Transform(data).GetColumn<float[]>("y").ToArray();
        for (var r = 0; r < rows.Length; r++)
            Assert.Equal(raw.Run("y", ("x", rows[r].X, [1, 8])), scored[r]);

        _ml.Model.Save(model, data.Schema, _folder["model.zip"]);
        var loaded = _ml.Model.Load(_folder["model.zip"], out _);
        Assert.Equal(scored, loaded.Transform(data).GetColumn<float[]>("y"));
    }

    public void Dispose() => _folder.Dispose();

    private sealed class Row
    {
        [ColumnName("x")]
        [VectorType(8)]
        public float[] X { get; set; } = [];
    }
}
