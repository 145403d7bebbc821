using System.Globalization;
using System.Runtime.InteropServices;
using Google.Protobuf;
using MLNetQuant.Onnx.Proto;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Benchmarks.Walk;

/// <summary>Writes a perceptron of layers of equal width, its weights in a data file, and rows to calibrate it on.</summary>
/// <param name="Folder">Where it lies.</param>
/// <param name="Layers">Number of layers.</param>
/// <param name="Bytes">Bytes of the weights.</param>
internal sealed record WideMlp(string Folder, int Layers, long Bytes)
{
    private const string DataFile = "mlp.onnx.data";

    public string Model => Path.Combine(Folder, "mlp.onnx");

    public string Rows => Path.Combine(Folder, "rows.npy");

    /// <param name="folder">An empty folder.</param>
    /// <param name="bytes">Bytes that the weights are to have, nearly: the last layer is as narrow as that takes.</param>
    /// <param name="width">Inputs of all layers, and outputs of all but the last.</param>
    /// <param name="rows">Calibration rows.</param>
    /// <param name="damaged">Whether the last weight is NaN, on which a run fails when it gets there.</param>
    public static WideMlp Write(string folder, long bytes, int width, int rows, bool damaged)
    {
        var random = new Random(1);
        var graph = new GraphProto { Name = "mlp", Input = { Value("x", width) } };
        var (layers, written, read) = (0, 0L, "x");
        using (var data = File.Create(Path.Combine(folder, DataFile)))
        {
            while (written < bytes)
            {
                var outputs = (int)Math.Min(width, Math.Max(64, (bytes - written) / width / sizeof(float) / 64 * 64));
                var last = bytes - written <= (long)width * outputs * sizeof(float) || outputs < width;
                var tensor = new TensorProto
                {
                    Name = $"w{layers}",
                    DataType = (int)DataType.Float,
                    Dims = { width, outputs },
                    DataLocation = DataLocation.External,
                };
                foreach (var (key, entry) in ((string, long)[])[("offset", written), ("length", (long)width * outputs * sizeof(float))])
                    tensor.ExternalData.Add(new StringStringEntryProto { Key = key, Value = entry.ToString(CultureInfo.InvariantCulture) });
                tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = DataFile });
                graph.Initializer.Add(tensor);
                for (var row = 0; row < width; row++)
                {
                    var numbers = ModelWriter.Numbers(random, outputs, Math.Sqrt(6.0 / width));
                    if (damaged && last && row == width - 1)
                        numbers[^1] = float.NaN;
                    data.Write(MemoryMarshal.AsBytes<float>(numbers));
                }

                written += (long)width * outputs * sizeof(float);
                var sum = last ? "y" : $"s{layers}";
                graph.Node.Add(new NodeProto { OpType = "Gemm", Name = $"layer{layers}", Input = { read, tensor.Name }, Output = { sum } });
                read = $"r{layers}";
                if (!last)
                    graph.Node.Add(new NodeProto { OpType = "Relu", Input = { sum }, Output = { read } });
                layers++;
                if (last)
                    break;
            }
        }

        graph.Output.Add(Value("y", null));
        var model = new ModelProto { IrVersion = 8, OpsetImport = { new OperatorSetIdProto { Version = 13 } }, Graph = graph };
        var mlp = new WideMlp(folder, layers, written);
        File.WriteAllBytes(mlp.Model, model.ToByteArray());
        using var file = File.Create(mlp.Rows);
        NpzWriter.Write(file, "<f4", MemoryMarshal.AsBytes<float>(ModelWriter.Numbers(random, rows * width, 1)), [rows, width]);
        return mlp;
    }

    private static ValueInfoProto Value(string name, int? width)
    {
        var value = new ValueInfoProto { Name = name, Type = new() { TensorType = new() { ElemType = (int)DataType.Float } } };
        if (width is not null)
        {
            value.Type.TensorType.Shape = new()
            {
                Dim = { new TensorShapeProto.Types.Dimension { DimParam = "N" }, new TensorShapeProto.Types.Dimension { DimValue = width.Value } },
            };
        }

        return value;
    }
}
