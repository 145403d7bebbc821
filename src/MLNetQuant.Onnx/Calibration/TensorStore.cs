using System.Globalization;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>
/// Tensors that are in memory as long as they fit a budget; beyond it the largest are in files of a temporary folder, which
/// goes when the store is disposed. Tensors may be added and read by several threads at once.
/// </summary>
/// <param name="budget">Bytes that all tensors together may take in memory.</param>
internal sealed class TensorStore(long budget) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly HashSet<StoredTensor> _tensors = [];
    private readonly SortedSet<StoredTensor> _inMemory = new(Comparer<StoredTensor>.Create(
        (a, b) => (a.Bytes, a.Number).CompareTo((b.Bytes, b.Number))));
    private string? _folder;
    private long _number;
    private long _bytes;

    /// <summary>Bytes of the tensors that are in memory.</summary>
    public long BytesInMemory { get; private set; }

    /// <summary>The most bytes that all tensors took at a time, in memory and in files.</summary>
    public long LargestBytes { get; private set; }

    /// <summary>Bytes written to files so far.</summary>
    public long BytesSpilled { get; private set; }

    /// <summary>The folder of the files; null as long as there was no need for one.</summary>
    public string? Folder => _folder;

    /// <summary>Takes a tensor.</summary>
    /// <exception cref="QuantizationException">There is no room for it, neither in memory nor in a file.</exception>
    public StoredTensor Add(OnnxTensor tensor)
    {
        lock (_lock)
        {
            var stored = new StoredTensor(tensor, ++_number);
            _tensors.Add(stored);
            _inMemory.Add(stored);
            BytesInMemory += stored.Bytes;
            _bytes += stored.Bytes;
            LargestBytes = Math.Max(LargestBytes, _bytes);
            while (BytesInMemory > budget && _inMemory.Max is { Bytes: > 0 } largest)
                Spill(largest);
            return stored;
        }
    }

    /// <summary>Drops all tensors but these.</summary>
    public void Retain(IEnumerable<ITensorSource> live)
    {
        var kept = live.SelectMany(t => t.Parts).OfType<StoredTensor>().ToHashSet();
        lock (_lock)
        {
            foreach (var tensor in _tensors.Where(t => !kept.Contains(t)).ToArray())
            {
                _tensors.Remove(tensor);
                _bytes -= tensor.Bytes;
                if (_inMemory.Remove(tensor))
                    BytesInMemory -= tensor.Bytes;
                if (tensor.File is { } file)
                    System.IO.File.Delete(file);
            }
        }
    }

    /// <summary>Deletes all files.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _tensors.Clear();
            _inMemory.Clear();
            BytesInMemory = 0;
            if (_folder is not null && Directory.Exists(_folder))
                Directory.Delete(_folder, recursive: true);
        }
    }

    private void Spill(StoredTensor tensor)
    {
        try
        {
            _folder ??= Directory.CreateTempSubdirectory(string.Create(CultureInfo.InvariantCulture, $"mlnetquant-{Environment.ProcessId}-")).FullName;
            tensor.MoveTo(Path.Combine(_folder, tensor.Number.ToString(CultureInfo.InvariantCulture)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new QuantizationException(
                $"Calibration needs a temporary file in '{_folder ?? Path.GetTempPath()}', which cannot be written ({e.Message.TrimEnd('.')}): raise the memory budget, use fewer calibration rows, or point TMPDIR to a folder with more room.", e);
        }

        _inMemory.Remove(tensor);
        BytesInMemory -= tensor.Bytes;
        BytesSpilled += tensor.Bytes;
    }
}

/// <summary>A tensor of a <see cref="TensorStore"/>.</summary>
internal sealed class StoredTensor : ITensorSource
{
    private readonly Type _type;
    private volatile OnnxTensor? _tensor;

    /// <param name="tensor">The tensor.</param>
    /// <param name="number">Its number in the store.</param>
    public StoredTensor(OnnxTensor tensor, long number) => (_tensor, _type, ElementType, Shape, Bytes, Number) =
        (tensor, tensor.ValueType, tensor.ElementType, tensor.Shape, tensor.ByteCount, number);

    public TensorElementType ElementType { get; }

    public IReadOnlyList<long> Shape { get; }

    /// <summary>Bytes of its elements.</summary>
    public long Bytes { get; }

    /// <summary>Its number in the store.</summary>
    public long Number { get; }

    /// <summary>Its file; null while it is in memory.</summary>
    public string? File { get; private set; }

    /// <exception cref="QuantizationException">Its file cannot be read.</exception>
    public OnnxTensor Read()
    {
        if (_tensor is { } tensor)
            return tensor;
        try
        {
            using var file = new FileStream(File!, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1, FileOptions.SequentialScan);
            return OnnxTensor.ReadFrom(file, ElementType, _type, Shape);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new QuantizationException($"The temporary file '{File}' of the calibration cannot be read ({e.Message.TrimEnd('.')}): leave it alone while the run lasts.", e);
        }
    }

    /// <summary>Writes it to a file, and lets go of the memory.</summary>
    public void MoveTo(string file)
    {
        using (var stream = new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1))
            _tensor!.WriteTo(stream);
        File = file; // before the tensor goes: others may be reading it
        _tensor = null;
    }
}
