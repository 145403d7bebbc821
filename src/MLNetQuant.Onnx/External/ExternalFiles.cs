using Google.Protobuf;
using MLNetQuant.Onnx.Proto;
using static MLNetQuant.Onnx.Proto.TensorProto.Types;

namespace MLNetQuant.Onnx.External;

/// <summary>Finds the files in which a model keeps tensors, and checks that they hold them.</summary>
internal sealed class ExternalFiles
{
    private readonly string _model;
    private readonly string _folder;
    private readonly SortedDictionary<string, FileInfo> _files = new(StringComparer.Ordinal); // by location

    private ExternalFiles(string model, string folder) => (_model, _folder) = (model, folder);

    /// <summary>
    /// Looks up every tensor that a file beside the model holds. Initializers above 1 KB stay there and are read when they
    /// are needed; the model takes in what is smaller, and tensors that are no initializers.
    /// </summary>
    /// <param name="model">The model, which is changed.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="folder">The folder of its file.</param>
    /// <returns>The files, in the order of their locations.</returns>
    /// <exception cref="QuantizationException">A file is missing, too short, or outside the folder.</exception>
    public static IReadOnlyList<FileInfo> Find(ModelProto model, string name, string folder)
    {
        var files = new ExternalFiles(name, Path.GetFullPath(folder));
        foreach (var tensor in ModelTensors.Initializers(model).Where(ExternalBytes.IsExternal))
        {
            var bytes = files.Locate(tensor);
            if (bytes.Length > ExternalLayout.SmallTensor)
                bytes.WriteInto(tensor);
            else
                ExternalBytes.Inline(tensor, UnsafeByteOperations.UnsafeWrap(bytes.ReadAll()));
        }

        foreach (var tensor in ModelTensors.Others(model).Where(ExternalBytes.IsExternal))
            ExternalBytes.Inline(tensor, UnsafeByteOperations.UnsafeWrap(files.Locate(tensor).ReadAll()));
        return [.. files._files.Values];
    }

    /// <summary>Refuses a model whose tensors are in files that nobody named the folder of.</summary>
    public static void RefuseAny(ModelProto model, string name)
    {
        if (ModelTensors.Initializers(model).Concat(ModelTensors.Others(model)).FirstOrDefault(ExternalBytes.IsExternal) is { } tensor)
        {
            throw new QuantizationException(
                $"The model '{name}' keeps the values of '{tensor.Name}' in the file '{ExternalBytes.Location(tensor)}', which its bytes do not bring: load the model from its path.");
        }
    }

    private ExternalBytes Locate(TensorProto tensor)
    {
        var file = Open(tensor);
        long offset;
        long? given;
        try
        {
            (offset, given) = (ExternalBytes.GivenOffset(tensor), ExternalBytes.GivenLength(tensor));
        }
        catch (FormatException e)
        {
            throw new QuantizationException(
                $"The model '{_model}' does not say where '{tensor.Name}' lies in '{ExternalBytes.Location(tensor)}' ({e.Message}): export the model again.", e);
        }

        var needed = Bytes(tensor) ?? given ?? Math.Max(0, file.Length - offset);
        if (given is { } length && length != needed)
        {
            throw new QuantizationException(
                $"The model '{_model}' gives '{tensor.Name}' {length} bytes of '{ExternalBytes.Location(tensor)}', and its shape needs {needed}: export the model again.");
        }

        if (offset > file.Length || needed > file.Length - offset)
        {
            throw new QuantizationException(
                $"The data file '{file.FullName}' has {file.Length} bytes, too few for '{tensor.Name}', which has {needed} bytes from {offset} on: copy the file again.");
        }

        return new(tensor.Name, file.FullName, offset, needed, ExternalBytes.StampOf(file));
    }

    private FileInfo Open(TensorProto tensor)
    {
        if (ExternalBytes.Location(tensor) is not { Length: > 0 } location)
            throw new QuantizationException($"The model '{_model}' keeps the values of '{tensor.Name}' in another file and does not name it: export the model again.");
        if (_files.TryGetValue(location, out var known))
            return known;
        if (location.Contains('\0', StringComparison.Ordinal))
            throw new QuantizationException($"The model '{_model}' keeps the values of '{tensor.Name}' in a file whose name has a character of code 0: export the model again.");
        if (Path.IsPathRooted(location) || (location.Length > 1 && location[1] == ':'))
        {
            throw new QuantizationException(
                $"The model '{_model}' keeps the values of '{tensor.Name}' at the absolute path '{location}': export the model with its data beside it.");
        }

        var file = new FileInfo(Path.GetFullPath(location, _folder));
        if (!file.FullName.StartsWith(Path.EndsInDirectorySeparator(_folder) ? _folder : _folder + Path.DirectorySeparatorChar, StringComparison.Ordinal))
        {
            throw new QuantizationException(
                $"The model '{_model}' keeps the values of '{tensor.Name}' in '{location}', outside its own folder: export the model with its data beside it.");
        }

        if (!file.Exists)
            throw new QuantizationException($"The data file '{file.FullName}' of the model '{_model}', which holds '{tensor.Name}', does not exist: put it there.");
        // A link's own length and time say nothing of the file that is read.
        if (file.ResolveLinkTarget(returnFinalTarget: true) is FileInfo target)
            file = target;
        return _files[location] = file;
    }

    /// <summary>Bytes that a tensor's shape asks for; null for element types that this version does not know.</summary>
    private long? Bytes(TensorProto tensor)
    {
        if (tensor.DataType == (int)DataType.String)
            throw new QuantizationException($"The model '{_model}' keeps the text '{tensor.Name}' in another file, where ONNX has numbers only: export the model again.");
        int? bits = (DataType)tensor.DataType switch
        {
            DataType.Uint4 or DataType.Int4 or DataType.Float4E2M1 => 4,
            DataType.Uint8 or DataType.Int8 or DataType.Bool or DataType.Float8E4M3Fn or DataType.Float8E4M3Fnuz
                or DataType.Float8E5M2 or DataType.Float8E5M2Fnuz => 8,
            DataType.Uint16 or DataType.Int16 or DataType.Float16 or DataType.Bfloat16 => 16,
            DataType.Float or DataType.Int32 or DataType.Uint32 => 32,
            DataType.Double or DataType.Int64 or DataType.Uint64 or DataType.Complex64 => 64,
            DataType.Complex128 => 128,
            _ => null,
        };
        if (tensor.Dims.Any(d => d < 0))
            throw new QuantizationException($"The shape [{string.Join(',', tensor.Dims)}] of '{tensor.Name}' in the model '{_model}' has a negative extent: export the model again.");
        try
        {
            return checked(((tensor.Dims.Aggregate(1L, (a, b) => checked(a * b)) * bits) + 7) / 8);
        }
        catch (OverflowException e)
        {
            throw new QuantizationException($"The shape [{string.Join(',', tensor.Dims)}] of '{tensor.Name}' in the model '{_model}' is too large: export the model again.", e);
        }
    }
}
