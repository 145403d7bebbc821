using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Onnx;

/// <summary>Adds the outputs of an ONNX model as columns; every row is one run of the model.</summary>
public sealed class OnnxTransformer : RowToRowTransformerBase, IDisposable
{
    internal const string LoaderSignature = "OnnxTransform";

    private const string ModelEntry = "OnnxModel";
    private const uint VersionOfSeveralColumns = 0x00010002;
    private const uint VersionOfRecursionLimit = 0x00010003;

    private static readonly VersionInfo Version =
        new("ONNXSCOR", 0x00010003, 0x00010003, 0x00010001, LoaderSignature, "Microsoft.ML.OnnxTransformer");

    private readonly OnnxModelSettings _settings;

    private OnnxTransformer(IHostEnvironment env, OnnxModelSettings settings, Func<OnnxModel> open)
        : base(env.Register(nameof(OnnxTransformer)))
    {
        _settings = settings;
        Host.CheckValue(settings.Inputs, nameof(OnnxOptions.InputColumns));
        Host.CheckValue(settings.Outputs, nameof(OnnxOptions.OutputColumns));
        foreach (string column in settings.Inputs)
            Host.CheckNonWhiteSpace(column, nameof(OnnxOptions.InputColumns));
        foreach (string column in settings.Outputs)
            Host.CheckNonWhiteSpace(column, nameof(OnnxOptions.OutputColumns));
        try
        {
            Model = open();
        }
        catch (OnnxRuntimeException e)
        {
            throw Host.Process(new InvalidOperationException($"Error initializing model :{e}", e));
        }
        try
        {
            Inputs = settings.Inputs.Length > 0 ? settings.Inputs : [.. Model.Inputs.Select(v => v.Name)];
            Outputs = [.. (settings.Outputs.Length > 0 ? settings.Outputs : Model.Outputs.Select(v => v.Name)).Select(Model.Output)];
        }
        catch
        {
            Model.Dispose();
            throw;
        }
    }

    internal OnnxModel Model { get; }

    /// <summary>The inputs that columns feed.</summary>
    internal string[] Inputs { get; }

    /// <summary>The outputs that become columns.</summary>
    internal OnnxVariable[] Outputs { get; }

    internal static OnnxTransformer FromFile(IHostEnvironment env, OnnxModelSettings settings, string modelFile)
    {
        env.CheckNonWhiteSpace(modelFile, nameof(OnnxOptions.ModelFile));
        if (!File.Exists(modelFile))
            throw env.Process(new IOException($"Model file {modelFile} does not exists."));
        return new OnnxTransformer(env, settings, () => new OnnxModel(env, modelFile, ownFile: false, settings));
    }

    internal static OnnxTransformer FromStream(IHostEnvironment env, OnnxModelSettings settings, Stream modelBytes)
    {
        env.CheckValue(modelBytes, nameof(modelBytes));
        modelBytes.Seek(0, SeekOrigin.Begin);
        // As in ML.NET, the temporary file stays behind and the thread settings are not used.
        OnnxModelSettings withoutThreads = settings with { InterOpNumThreads = null, IntraOpNumThreads = null };
        return new OnnxTransformer(
            env, settings, () => OnnxModel.FromStream(env, modelBytes, ownFile: false, withoutThreads));
    }

    internal static OnnxTransformer Load(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(Version);
        byte[] entry = ctx.LoadBinaryStreamOrNull(ModelEntry) ?? throw env.ExceptDecode("The model file holds no ONNX model.");
        using var reader = new BinaryReader(new MemoryStream(entry, writable: false));
        byte[] bytes = reader.ReadBytes(reader.ReadInt32());

        bool several = ctx.Header.ModelVerWritten >= VersionOfSeveralColumns;
        string[] inputs = LoadNames(ctx, several);
        string[] outputs = LoadNames(ctx, several);
        var shapes = new Dictionary<string, int[]>();
        for (int i = ctx.LoadCount(); i > 0; i--)
        {
            string name = ctx.LoadNonEmptyString();
            shapes[name] = [.. Enumerable.Range(0, ctx.LoadCount()).Select(_ => ctx.Reader.ReadInt32())];
        }
        int recursionLimit = ctx.Header.ModelVerWritten >= VersionOfRecursionLimit ? ctx.Reader.ReadInt32() : 100;

        var settings = new OnnxModelSettings(inputs, outputs, shapes, recursionLimit);
        using var stream = new MemoryStream(bytes, writable: false);
        return new OnnxTransformer(env, settings, () => OnnxModel.FromStream(env, stream, ownFile: true, settings));
    }

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(Version);
        ctx.SaveBinaryStream(ModelEntry, writer =>
        {
            byte[] bytes = Model.ReadFile();
            writer.Write(bytes.Length);
            writer.Write(bytes);
        });

        SaveNames(ctx, Inputs);
        SaveNames(ctx, [.. Outputs.Select(v => v.Name)]);
        ctx.Writer.Write(_settings.Shapes.Count);
        foreach ((string name, int[] shape) in _settings.Shapes)
        {
            ctx.SaveNonEmptyString(name);
            ctx.Writer.Write(shape.Length);
            foreach (int dimension in shape)
                ctx.Writer.Write(dimension);
        }
        ctx.Writer.Write(_settings.RecursionLimit);
    }

    private protected override IRowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    public void Dispose() => Model.Dispose();

    private static string[] LoadNames(ModelLoadContext ctx, bool several)
    {
        var names = new string[several ? ctx.LoadCount(least: 1) : 1];
        for (int i = 0; i < names.Length; i++)
            names[i] = ctx.LoadNonEmptyString();
        return names;
    }

    private static void SaveNames(ModelSaveContext ctx, string[] names)
    {
        ctx.Writer.Write(names.Length);
        foreach (string name in names)
            ctx.SaveNonEmptyString(name);
    }

    private sealed class Mapper : MapperBase
    {
        private readonly OnnxTransformer _parent;
        private readonly (int Column, int[] Shape)[] _inputs;

        public Mapper(OnnxTransformer parent, DataViewSchema schema)
            : base(parent.Host.Register(nameof(Mapper)), schema, parent)
        {
            _parent = parent;
            _inputs = [.. parent.Inputs.Select(name => Bind(parent.Model.Input(name), schema))];
        }

        public override Delegate[] CreateGetters(DataViewRow input, Func<int, bool> activeOutput, out Action disposer)
        {
            OnnxVariable[] active = [.. _parent.Outputs.Where((_, i) => activeOutput(i))];
            if (active.Length == 0)
            {
                disposer = null;
                return new Delegate[_parent.Outputs.Length];
            }
            OnnxRowInput[] inputs = [.. _inputs.Select(i => OnnxRowInput.Create(input, input.Schema[i.Column], i.Shape))];
            var scorer = new OnnxRowScorer(_parent.Model, input, _parent.Inputs, inputs, [.. active.Select(v => v.Name)]);
            disposer = scorer.Dispose;
            return [.. _parent.Outputs.Select((v, i) => activeOutput(i) ? scorer.CreateGetter(v) : null)];
        }

        protected override Delegate MakeGetter(
            DataViewRow input, int iinfo, Func<int, bool> activeOutput, out Action disposer) =>
            throw new NotSupportedException("The outputs of a model come from one run; their getters are made together.");

        protected override DataViewSchema.DetachedColumn[] GetOutputColumnsCore() => [.. _parent.Outputs.Select(output =>
        {
            const string suffix = ".output";
            string name = output.Name.EndsWith(suffix, StringComparison.Ordinal)
                ? output.Name.Replace(suffix, "", StringComparison.Ordinal)
                : output.Name;
            return new DataViewSchema.DetachedColumn(name, output.Type, Annotations(name));
        })];

        private protected override Func<int, bool> GetDependenciesCore(Func<int, bool> activeOutput) =>
            column => Enumerable.Range(0, _parent.Outputs.Length).Any(activeOutput) && _inputs.Any(i => i.Column == column);

        private (int Column, int[] Shape) Bind(OnnxVariable input, DataViewSchema schema)
        {
            int[] shape = input.RowShape;
            if (shape.Count(d => d == 0) > 1)
                throw new ArgumentOutOfRangeException(input.Name, "Only 1 unknown dimension is allowed");
            DataViewSchema.Column column = schema.GetColumnOrNull(input.Name)
                ?? throw Host.ExceptMissingColumn("inputSchema", "input", input.Name);

            DataViewType actual = column.Type.GetItemType(), expected = input.Type.GetItemType();
            // A key column serves where the model wants the number behind it.
            if (!actual.Equals(expected) && !(actual is KeyDataViewType && actual.RawType == expected.RawType))
            {
                throw Host.ExceptSchemaMismatch(
                    "inputSchema", "input", input.Name, expected.ToString(), column.Type.ToString());
            }

            int length = column.Type.GetValueCount();
            int size = shape.Aggregate(1, (product, d) => product * d);
            if (size > 0 && length % size != 0)
            {
                throw Contracts.Except($"Input shape mismatch: Input '{input.Name}' has shape {string.Join(",", shape)}, " +
                    $"but input data is of length {length}.");
            }
            return (column.Index, shape);
        }

        private DataViewSchema.Annotations Annotations(string column)
        {
            var builder = new DataViewSchema.Annotations.Builder();
            if (_parent.Model.SlotNames.TryGetValue(column, out string[] names))
            {
                ReadOnlyMemory<char>[] values = [.. names.Select(n => n.AsMemory())];
                builder.Add("SlotNames", new VectorDataViewType(TextDataViewType.Instance, values.Length),
                    (ref VBuffer<ReadOnlyMemory<char>> dst) => dst = new VBuffer<ReadOnlyMemory<char>>(values.Length, values));
            }
            return builder.ToAnnotations();
        }
    }
}
