using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

public sealed partial class ModelOperationsCatalog
{
    private const string ModelDirectory = TransformerChain.LoaderSignature;
    private const string SchemaEntryName = "Schema";

    public void Save(ITransformer model, DataViewSchema inputSchema, Stream stream)
    {
        _env.CheckValue(stream, nameof(stream));
        using var archive = new ModelArchiveWriter(stream);
        ModelSaveContext.SaveModel(archive, model, ModelDirectory);
        if (inputSchema is not null)
            archive.Write(SchemaEntryName, entry => BinarySchema.Write(entry, inputSchema));
    }

    public void Save(ITransformer model, DataViewSchema inputSchema, string filePath)
    {
        _env.CheckNonEmpty(filePath, nameof(filePath));
        using FileStream stream = File.Create(filePath);
        Save(model, inputSchema, stream);
    }

    public ITransformer Load(Stream stream, out DataViewSchema inputSchema)
    {
        _env.CheckValue(stream, nameof(stream));
        using var archive = new ModelArchiveReader(stream, _env);
        byte[] schema = archive.ReadOrNull(SchemaEntryName);
        inputSchema = schema is null ? null : BinarySchema.Read(schema);
        ITransformer model = ModelLoadContext.LoadModelOrNull(_env, archive, ModelDirectory);
        if (model is not null)
            return model;
        if (archive.ReadOrNull(ModelSaveContext.EntryName) is not null)
            throw Contracts.ExceptLacking("loading a model that was saved with its data loader");
        throw _env.ExceptDecode("Corrupt model file");
    }

    public ITransformer Load(string filePath, out DataViewSchema inputSchema)
    {
        _env.CheckNonEmpty(filePath, nameof(filePath));
        using FileStream stream = File.OpenRead(filePath);
        return Load(stream, out inputSchema);
    }
}
