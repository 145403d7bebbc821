using Google.Protobuf;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Proto;

namespace MLNetQuant.Onnx.External;

/// <summary>A model that is going to be written as two files: its graph, and the tensors that it keeps in a data file.</summary>
internal sealed class ExternalLayout
{
    /// <summary>Bytes up to which a tensor stays in the model: readers look at shapes and scalars before any data file.</summary>
    public const int SmallTensor = 1024;

    /// <summary>Where tensors begin, so that readers can map them: the size of a page.</summary>
    private const long Alignment = 4096;

    private readonly List<(TensorProto Tensor, long Offset)> _tensors = [];

    private ExternalLayout(ModelProto model) => Model = model;

    /// <summary>The model, whose large initializers only name their places.</summary>
    public ModelProto Model { get; }

    /// <summary>Bytes of the data file; 0 where no tensor is large enough for it.</summary>
    public long DataBytes { get; private set; }

    /// <summary>Bytes of both files.</summary>
    public long Bytes => Model.CalculateSize() + DataBytes;

    /// <summary>Lays out a model.</summary>
    /// <param name="model">The model, which stays as it is.</param>
    /// <param name="location">Name of the data file.</param>
    public static ExternalLayout Plan(ModelProto model, string location)
    {
        var layout = new ExternalLayout(model.Clone());
        foreach (var (source, tensor) in ModelTensors.Initializers(model).Zip(ModelTensors.Initializers(layout.Model)))
        {
            var length = TensorValues.ByteCount(source);
            if (length <= SmallTensor)
                continue;
            var offset = (layout.DataBytes + Alignment - 1) / Alignment * Alignment;
            ExternalBytes.Write(tensor, location, offset, length);
            layout._tensors.Add((source, offset));
            layout.DataBytes = offset + length;
        }

        return layout;
    }

    /// <summary>Writes the model's file.</summary>
    public void WriteModel(Stream stream) => Model.WriteTo(stream);

    /// <summary>Writes the data file.</summary>
    public void WriteData(Stream stream)
    {
        var end = 0L;
        foreach (var (tensor, offset) in _tensors)
        {
            stream.Write(new byte[offset - end]);
            TensorValues.CopyBytes(tensor, stream);
            end = offset + TensorValues.ByteCount(tensor);
        }
    }
}
