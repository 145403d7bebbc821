using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>Column types in binary data view files: a name, the length of what follows, and parameters.</summary>
internal static class BinaryTypes
{
    private const string Vector = "VBuffer";
    private const string Key = "Key2";

    private static readonly Dictionary<string, PrimitiveDataViewType> Simple = new PrimitiveDataViewType[]
    {
        NumberDataViewType.SByte, NumberDataViewType.Byte, NumberDataViewType.Int16, NumberDataViewType.UInt16,
        NumberDataViewType.Int32, NumberDataViewType.UInt32, NumberDataViewType.Int64, NumberDataViewType.UInt64,
        NumberDataViewType.Single, NumberDataViewType.Double, BooleanDataViewType.Instance, TextDataViewType.Instance,
        TimeSpanDataViewType.Instance, DateTimeDataViewType.Instance, DateTimeOffsetDataViewType.Instance,
        RowIdDataViewType.Instance,
    }.ToDictionary(NameOf);

    /// <summary>The type as bytes, or null if there is no form for it.</summary>
    public static byte[] DescribeOrNull(DataViewType type)
    {
        using var parameters = new MemoryStream();
        using var writer = new BinaryWriter(parameters);
        switch (type)
        {
            case VectorDataViewType vector:
                if (DescribeOrNull(vector.ItemType) is not byte[] item)
                    return null;
                writer.Write(item);
                writer.Write(vector.Dimensions.Length);
                foreach (int dimension in vector.Dimensions)
                    writer.Write(dimension);
                return Describe(Vector, parameters.ToArray());
            case KeyDataViewType key:
                writer.Write(DescribeOrNull(DataViewTypes.PrimitiveFromType(key.RawType)));
                writer.Write(key.Count);
                return Describe(Key, parameters.ToArray());
            case PrimitiveDataViewType primitive when Simple.ContainsKey(NameOf(primitive)):
                return Describe(NameOf(primitive), []);
            default:
                return null;
        }
    }

    /// <summary>The type read, or null, and skipped, if it is unknown here.</summary>
    public static DataViewType ReadOrNull(BinaryReader reader)
    {
        string name = reader.ReadString();
        long end = reader.Read7BitEncodedInt64() + reader.BaseStream.Position;
        DataViewType type = name switch
        {
            Vector => ReadVectorOrNull(reader),
            Key => ReadKeyOrNull(reader),
            _ => Simple.GetValueOrDefault(name),
        };
        reader.BaseStream.Position = end;
        return type;
    }

    private static VectorDataViewType ReadVectorOrNull(BinaryReader reader)
    {
        if (ReadOrNull(reader) is not PrimitiveDataViewType item)
            return null;
        int rank = reader.ReadInt32();
        if (rank is < 0 or > 1000)
            throw Contracts.ExceptDecode(null, $"The schema in the model file holds a vector of rank {rank}.");
        var dimensions = new int[rank];
        for (int i = 0; i < rank; i++)
            dimensions[i] = reader.ReadInt32();
        return rank == 0 ? new VectorDataViewType(item) : new VectorDataViewType(item, dimensions);
    }

    private static KeyDataViewType ReadKeyOrNull(BinaryReader reader) =>
        ReadOrNull(reader) is PrimitiveDataViewType item ? new KeyDataViewType(item.RawType, reader.ReadUInt64()) : null;

    private static byte[] Describe(string name, byte[] parameters)
    {
        using var description = new MemoryStream();
        using var writer = new BinaryWriter(description);
        writer.Write(name);
        writer.Write7BitEncodedInt(parameters.Length);
        writer.Write(parameters);
        return description.ToArray();
    }

    private static string NameOf(PrimitiveDataViewType type) =>
        type is TextDataViewType ? "TextSpan" : type.RawType.Name;
}
