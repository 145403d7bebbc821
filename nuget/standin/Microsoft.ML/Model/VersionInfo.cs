using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>How a saved step names itself and its format.</summary>
/// <param name="modelSignature">The format: eight ASCII characters.</param>
/// <param name="verWrittenCur">The version of the format that is written.</param>
/// <param name="verReadableCur">The oldest version whose readers can read it.</param>
/// <param name="verWeCanReadBack">The oldest version that can be read back.</param>
/// <param name="loaderSignature">The name under which the public library finds the loader.</param>
/// <param name="assembly">The public assembly that holds the loader.</param>
/// <param name="loaderSignatureAlt">An older name of the loader.</param>
internal sealed class VersionInfo(
    string modelSignature,
    uint verWrittenCur,
    uint verReadableCur,
    uint verWeCanReadBack,
    string loaderSignature,
    string assembly = "Microsoft.ML.Data",
    string loaderSignatureAlt = null)
{
    public ulong ModelSignature { get; } = Pack(modelSignature);

    public uint VerWrittenCur => verWrittenCur;

    public uint VerReadableCur => verReadableCur;

    public uint VerWeCanReadBack => verWeCanReadBack;

    public string LoaderSignature => loaderSignature;

    public string LoaderSignatureAlt => loaderSignatureAlt;

    /// <summary>The public assembly's full name, so that the public library finds the loader there.</summary>
    public string LoaderAssemblyName => $"{assembly}, Version=1.0.0.0, Culture=neutral, PublicKeyToken=cc7b13ffcd2ddd51";

    /// <exception cref="FormatException">Another format, or a version of it that cannot be read.</exception>
    public void Check(ModelHeader header)
    {
        if (header.ModelSignature != ModelSignature)
            throw Contracts.ExceptDecode(null, "Unknown file type");
        if (header.ModelVerReadable > header.ModelVerWritten)
            throw Contracts.ExceptDecode(null, "Corrupt file header");
        if (header.ModelVerReadable > verWrittenCur)
            throw Unreadable("new", $"Maximum expected version {verWrittenCur}, got {header.ModelVerReadable}.");
        if (header.ModelVerWritten < verWeCanReadBack)
            throw Unreadable("old", $"Minimum expected version {verWeCanReadBack}, got {header.ModelVerWritten}.");
    }

    private Exception Unreadable(string age, string details) => Contracts.ExceptDecode(null,
        $"The step '{loaderSignature}' of the model cannot be read, because the model is too {age}. {details}");

    private static ulong Pack(string signature)
    {
        Contracts.Check(null, signature.Length == 8, "Model signature must be eight characters");
        ulong packed = 0;
        for (int i = 0; i < signature.Length; i++)
            if (signature[i] != ' ')
                packed |= (ulong)signature[i] << (8 * i);
        return packed;
    }
}
