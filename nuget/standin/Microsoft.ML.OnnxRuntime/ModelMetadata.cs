using Microsoft.ML.OnnxRuntime.Native;

namespace Microsoft.ML.OnnxRuntime;

/// <summary>What a model says of itself.</summary>
public unsafe class ModelMetadata
{
    internal ModelMetadata(nint session)
    {
        nint metadata;
        NativeStatus.Check(OrtApi.SessionGetModelMetadata(session, &metadata));
        try
        {
            ProducerName = Text(metadata, OrtApi.ModelMetadataGetProducerName);
            GraphName = Text(metadata, OrtApi.ModelMetadataGetGraphName);
            Domain = Text(metadata, OrtApi.ModelMetadataGetDomain);
            Description = Text(metadata, OrtApi.ModelMetadataGetDescription);
            GraphDescription = Text(metadata, OrtApi.ModelMetadataGetGraphDescription);
            long version;
            NativeStatus.Check(OrtApi.ModelMetadataGetVersion(metadata, &version));
            Version = version;
            ReadCustomEntries(metadata);
        }
        finally
        {
            OrtApi.ReleaseModelMetadata(metadata);
        }
    }

    public string ProducerName { get; }

    public string GraphName { get; }

    public string Domain { get; }

    public string Description { get; }

    public string GraphDescription { get; }

    public long Version { get; }

    public Dictionary<string, string> CustomMetadataMap { get; } = [];

    private static string Text(nint metadata, delegate* unmanaged<nint, nint, byte**, nint> get)
    {
        var allocator = OrtAllocator.DefaultInstance.Pointer;
        byte* text;
        NativeStatus.Check(get(metadata, allocator, &text));
        return NativeText.Take(text, allocator);
    }

    private void ReadCustomEntries(nint metadata)
    {
        var allocator = OrtAllocator.DefaultInstance.Pointer;
        byte** keys;
        long count;
        NativeStatus.Check(OrtApi.ModelMetadataGetCustomMetadataMapKeys(metadata, allocator, &keys, &count));
        try
        {
            for (var i = 0L; i < count; i++)
            {
                byte* value;
                NativeStatus.Check(OrtApi.ModelMetadataLookupCustomMetadataMap(metadata, allocator, keys[i], &value));
                CustomMetadataMap[NativeText.Read(keys[i])] = NativeText.Take(value, allocator);
            }
        }
        finally
        {
            for (var i = 0L; i < count; i++)
                NativeStatus.Check(OrtApi.AllocatorFree(allocator, keys[i]));
            if (keys is not null)
                NativeStatus.Check(OrtApi.AllocatorFree(allocator, keys));
        }
    }
}
