using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms;

namespace Microsoft.ML;

/// <summary>The steps that move columns about, as saved steps.</summary>
internal static class TransformerSaving
{
    public const string CopyingSignature = "CopyTransform";
    public const string ConcatenatingSignature = "ConcatTransform";
    public const string SelectingSignature = "SelectColumnsTransform";

    private static readonly VersionInfo Copying = new("COPYCOLT", 0x00010001, 0x00010001, 0x00010001, CopyingSignature);

    // The versions before the third were not written by transformers.
    private static readonly VersionInfo Concatenating = new(
        "CONCAT F", 0x00010003, 0x00010003, 0x00010003, ConcatenatingSignature, loaderSignatureAlt: "ConcatFunction");

    private static readonly VersionInfo Selecting = new("SELCOLST", 0x00010001, 0x00010001, 0x00010001, SelectingSignature);

    public static void Save(ColumnCopyingTransformer transformer, ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(Copying);
        ctx.Writer.Write(transformer.ColumnPairs.Length);
        foreach ((string output, string input) in transformer.ColumnPairs)
        {
            ctx.SaveNonEmptyString(output);
            ctx.SaveNonEmptyString(input);
        }
    }

    public static ITransformer LoadCopying(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(Copying);
        var columns = new (string Output, string Input)[ctx.LoadCount()];
        for (int i = 0; i < columns.Length; i++)
            columns[i] = (ctx.LoadNonEmptyString(), ctx.LoadNonEmptyString());
        return new ColumnCopyingTransformer(env, columns);
    }

    public static void Save(ColumnConcatenatingTransformer transformer, ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(Concatenating);
        ctx.Writer.Write(transformer.Columns.Count);
        foreach (ConcatenatedColumn column in transformer.Columns)
        {
            ctx.SaveNonEmptyString(column.Name);
            ctx.Writer.Write(column.Sources.Count);
            foreach ((string name, string alias) in column.Sources)
            {
                ctx.SaveNonEmptyString(name);
                ctx.SaveStringOrNull(alias);
            }
        }
    }

    public static ITransformer LoadConcatenating(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(Concatenating);
        var columns = new ConcatenatedColumn[ctx.LoadCount(least: 1)];
        for (int i = 0; i < columns.Length; i++)
        {
            string name = ctx.LoadNonEmptyString();
            var sources = new (string Name, string Alias)[ctx.LoadCount(least: 1)];
            for (int j = 0; j < sources.Length; j++)
                sources[j] = (ctx.LoadNonEmptyString(), ctx.LoadStringOrNull());
            columns[i] = new ConcatenatedColumn(name, sources);
        }
        return new ColumnConcatenatingTransformer(env, columns);
    }

    public static void Save(ColumnSelectingTransformer transformer, ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(Selecting);
        ctx.Writer.Write(transformer.KeepColumns);
        ctx.Writer.Write(transformer.KeepHidden);
        ctx.Writer.Write(transformer.IgnoreMissing);
        ctx.Writer.Write(transformer.SelectColumns.Count);
        foreach (string name in transformer.SelectColumns)
            ctx.SaveNonEmptyString(name);
    }

    public static ITransformer LoadSelecting(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(Selecting);
        bool keep = ctx.Reader.ReadBoolean();
        bool keepHidden = ctx.Reader.ReadBoolean();
        bool ignoreMissing = ctx.Reader.ReadBoolean();
        var names = new string[ctx.LoadCount()];
        for (int i = 0; i < names.Length; i++)
            names[i] = ctx.LoadNonEmptyString();
        return new ColumnSelectingTransformer(env, keep ? names : null, keep ? null : names, keepHidden, ignoreMissing);
    }
}
