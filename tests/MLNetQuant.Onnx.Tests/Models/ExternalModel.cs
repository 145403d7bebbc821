using System.Globalization;
using Google.Protobuf;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.Tests.Models;

/// <summary>Writes models whose initializers are in files beside them, with none of the product's writing.</summary>
internal static class ExternalModel
{
    /// <summary>A model whose float initializers hold raw bytes, as exporters write them.</summary>
    public static ModelProto Raw(ModelProto model)
    {
        var raw = model.Clone();
        foreach (var tensor in raw.Graph.Initializer.Where(t => t.FloatData.Count > 0))
        {
            tensor.RawData = ByteString.CopyFrom([.. tensor.FloatData.SelectMany(BitConverter.GetBytes)]);
            tensor.FloatData.Clear();
        }

        return raw;
    }

    /// <summary>Writes a model, and each initializer at its place in a file.</summary>
    /// <returns>The model's file.</returns>
    public static string Write(TemporaryFolder folder, ModelProto model, params (string Tensor, string Location, long Offset)[] places)
    {
        var external = Raw(model);
        foreach (var (name, location, offset) in places)
        {
            var tensor = external.Graph.Initializer.Single(t => t.Name == name);
            var path = folder.File(location);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using (var file = File.OpenWrite(path))
            {
                file.Position = offset;
                file.Write(tensor.RawData.Span);
            }

            MakeExternal(tensor, ("location", location), ("offset", offset.ToString(CultureInfo.InvariantCulture)), ("length", tensor.RawData.Length.ToString(CultureInfo.InvariantCulture)));
        }

        return WriteModel(folder, external);
    }

    public static string WriteModel(TemporaryFolder folder, ModelProto model)
    {
        var path = folder.File("model.onnx");
        File.WriteAllBytes(path, model.ToByteArray());
        return path;
    }

    public static void MakeExternal(TensorProto tensor, params (string Key, string Value)[] entries)
    {
        tensor.ClearRawData();
        tensor.FloatData.Clear();
        tensor.DataLocation = TensorProto.Types.DataLocation.External;
        tensor.ExternalData.Clear();
        tensor.ExternalData.AddRange(entries.Select(e => new StringStringEntryProto { Key = e.Key, Value = e.Value }));
    }

    /// <summary>A layer of 4 inputs beside a second with a matrix of 3 GB, which is a file of nothing but zeros.</summary>
    public static string WriteHuge(TemporaryFolder folder)
    {
        const long Outputs = 192 << 20;
        using (var file = File.Create(folder.File("huge.bin")))
            file.SetLength(4 * Outputs * sizeof(float));
        var b = SmallNets.OneLayer().Named("huge", "MatMul", "x,H", "h").Output("h");
        var tensor = new TensorProto { Name = "H", DataType = (int)TensorProto.Types.DataType.Float, Dims = { 4, Outputs } };
        MakeExternal(tensor, ("location", "huge.bin"));
        b.Graph.Initializer.Add(tensor);
        return WriteModel(folder, b.Proto());
    }
}
