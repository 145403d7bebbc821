namespace Microsoft.ML.OnnxRuntime.Native;

/// <summary>
/// The functions of the C API that this binding calls. The native table only ever grows at its end, so a
/// function's place in it is fixed for good; the numbers below are those places.
/// A function that returns <see cref="nint"/> returns an OrtStatus: zero on success, otherwise owned by the caller.
/// </summary>
internal static unsafe class OrtApi
{
    /// <summary>The version of the native library, e.g. "1.30.0".</summary>
    public static readonly string LibraryVersion;

    private const uint Version = 23;

    private static readonly nint* Table = Load(out LibraryVersion);

    public static readonly delegate* unmanaged<nint, int> GetErrorCode = (delegate* unmanaged<nint, int>)Table[1];
    public static readonly delegate* unmanaged<nint, byte*> GetErrorMessage =
        (delegate* unmanaged<nint, byte*>)Table[2];
    public static readonly delegate* unmanaged<nint, void> ReleaseStatus = (delegate* unmanaged<nint, void>)Table[93];

    // Environment
    public static readonly delegate* unmanaged<int, byte*, nint*, nint> CreateEnv =
        (delegate* unmanaged<int, byte*, nint*, nint>)Table[3];
    public static readonly delegate* unmanaged<nint, int, nint> SetLanguageProjection =
        (delegate* unmanaged<nint, int, nint>)Table[145];
    public static readonly delegate* unmanaged<nint, int, nint> UpdateEnvWithCustomLogLevel =
        (delegate* unmanaged<nint, int, nint>)Table[226];
    public static readonly delegate* unmanaged<byte***, int*, nint> GetAvailableProviders =
        (delegate* unmanaged<byte***, int*, nint>)Table[125];
    public static readonly delegate* unmanaged<byte**, int, nint> ReleaseAvailableProviders =
        (delegate* unmanaged<byte**, int, nint>)Table[126];
    public static readonly delegate* unmanaged<nint, void> ReleaseEnv = (delegate* unmanaged<nint, void>)Table[92];

    // Session options
    public static readonly delegate* unmanaged<nint*, nint> CreateSessionOptions =
        (delegate* unmanaged<nint*, nint>)Table[10];
    public static readonly delegate* unmanaged<nint, byte*, nint> SetOptimizedModelFilePath =
        (delegate* unmanaged<nint, byte*, nint>)Table[11];
    public static readonly delegate* unmanaged<nint, int, nint> SetSessionExecutionMode =
        (delegate* unmanaged<nint, int, nint>)Table[13];
    public static readonly delegate* unmanaged<nint, byte*, nint> EnableProfiling =
        (delegate* unmanaged<nint, byte*, nint>)Table[14];
    public static readonly delegate* unmanaged<nint, nint> DisableProfiling =
        (delegate* unmanaged<nint, nint>)Table[15];
    public static readonly delegate* unmanaged<nint, nint> EnableMemPattern =
        (delegate* unmanaged<nint, nint>)Table[16];
    public static readonly delegate* unmanaged<nint, nint> DisableMemPattern =
        (delegate* unmanaged<nint, nint>)Table[17];
    public static readonly delegate* unmanaged<nint, nint> EnableCpuMemArena =
        (delegate* unmanaged<nint, nint>)Table[18];
    public static readonly delegate* unmanaged<nint, nint> DisableCpuMemArena =
        (delegate* unmanaged<nint, nint>)Table[19];
    public static readonly delegate* unmanaged<nint, byte*, nint> SetSessionLogId =
        (delegate* unmanaged<nint, byte*, nint>)Table[20];
    public static readonly delegate* unmanaged<nint, int, nint> SetSessionLogVerbosityLevel =
        (delegate* unmanaged<nint, int, nint>)Table[21];
    public static readonly delegate* unmanaged<nint, int, nint> SetSessionLogSeverityLevel =
        (delegate* unmanaged<nint, int, nint>)Table[22];
    public static readonly delegate* unmanaged<nint, int, nint> SetSessionGraphOptimizationLevel =
        (delegate* unmanaged<nint, int, nint>)Table[23];
    public static readonly delegate* unmanaged<nint, int, nint> SetIntraOpNumThreads =
        (delegate* unmanaged<nint, int, nint>)Table[24];
    public static readonly delegate* unmanaged<nint, int, nint> SetInterOpNumThreads =
        (delegate* unmanaged<nint, int, nint>)Table[25];
    public static readonly delegate* unmanaged<nint, byte*, long, nint> AddFreeDimensionOverrideByName =
        (delegate* unmanaged<nint, byte*, long, nint>)Table[124];
    public static readonly delegate* unmanaged<nint, byte*, byte*, nint> AddSessionConfigEntry =
        (delegate* unmanaged<nint, byte*, byte*, nint>)Table[130];
    public static delegate* unmanaged<nint, int, nint> AppendExecutionProviderCuda =>
        (delegate* unmanaged<nint, int, nint>)NativeLibraryFile.Export("OrtSessionOptionsAppendExecutionProvider_CUDA");
    public static readonly delegate* unmanaged<nint, void> ReleaseSessionOptions =
        (delegate* unmanaged<nint, void>)Table[100];

    // Run options
    public static readonly delegate* unmanaged<nint*, nint> CreateRunOptions =
        (delegate* unmanaged<nint*, nint>)Table[39];
    public static readonly delegate* unmanaged<nint, int, nint> RunOptionsSetRunLogVerbosityLevel =
        (delegate* unmanaged<nint, int, nint>)Table[40];
    public static readonly delegate* unmanaged<nint, int, nint> RunOptionsSetRunLogSeverityLevel =
        (delegate* unmanaged<nint, int, nint>)Table[41];
    public static readonly delegate* unmanaged<nint, byte*, nint> RunOptionsSetRunTag =
        (delegate* unmanaged<nint, byte*, nint>)Table[42];
    public static readonly delegate* unmanaged<nint, nint> RunOptionsSetTerminate =
        (delegate* unmanaged<nint, nint>)Table[46];
    public static readonly delegate* unmanaged<nint, nint> RunOptionsUnsetTerminate =
        (delegate* unmanaged<nint, nint>)Table[47];
    public static readonly delegate* unmanaged<nint, byte*, byte*, nint> AddRunConfigEntry =
        (delegate* unmanaged<nint, byte*, byte*, nint>)Table[165];
    public static readonly delegate* unmanaged<nint, void> ReleaseRunOptions =
        (delegate* unmanaged<nint, void>)Table[97];

    // Session
    public static readonly delegate* unmanaged<nint, byte*, nint, nint*, nint> CreateSession =
        (delegate* unmanaged<nint, byte*, nint, nint*, nint>)Table[7];
    public static readonly delegate* unmanaged<nint, byte*, nuint, nint, nint*, nint> CreateSessionFromArray =
        (delegate* unmanaged<nint, byte*, nuint, nint, nint*, nint>)Table[8];
    public static readonly delegate* unmanaged<nint, nint, nint*, nint*, nuint, nint*, nuint, nint*, nint> Run =
        (delegate* unmanaged<nint, nint, nint*, nint*, nuint, nint*, nuint, nint*, nint>)Table[9];
    public static readonly delegate* unmanaged<nint, nuint*, nint> SessionGetInputCount =
        (delegate* unmanaged<nint, nuint*, nint>)Table[30];
    public static readonly delegate* unmanaged<nint, nuint*, nint> SessionGetOutputCount =
        (delegate* unmanaged<nint, nuint*, nint>)Table[31];
    public static readonly delegate* unmanaged<nint, nuint*, nint> SessionGetOverridableInitializerCount =
        (delegate* unmanaged<nint, nuint*, nint>)Table[32];
    public static readonly delegate* unmanaged<nint, nuint, nint*, nint> SessionGetInputTypeInfo =
        (delegate* unmanaged<nint, nuint, nint*, nint>)Table[33];
    public static readonly delegate* unmanaged<nint, nuint, nint*, nint> SessionGetOutputTypeInfo =
        (delegate* unmanaged<nint, nuint, nint*, nint>)Table[34];
    public static readonly delegate* unmanaged<nint, nuint, nint*, nint> SessionGetOverridableInitializerTypeInfo =
        (delegate* unmanaged<nint, nuint, nint*, nint>)Table[35];
    public static readonly delegate* unmanaged<nint, nuint, nint, byte**, nint> SessionGetInputName =
        (delegate* unmanaged<nint, nuint, nint, byte**, nint>)Table[36];
    public static readonly delegate* unmanaged<nint, nuint, nint, byte**, nint> SessionGetOutputName =
        (delegate* unmanaged<nint, nuint, nint, byte**, nint>)Table[37];
    public static readonly delegate* unmanaged<nint, nuint, nint, byte**, nint> SessionGetOverridableInitializerName =
        (delegate* unmanaged<nint, nuint, nint, byte**, nint>)Table[38];
    public static readonly delegate* unmanaged<nint, nint, byte**, nint> SessionEndProfiling =
        (delegate* unmanaged<nint, nint, byte**, nint>)Table[110];
    public static readonly delegate* unmanaged<nint, void> ReleaseSession = (delegate* unmanaged<nint, void>)Table[95];

    // Model metadata
    public static readonly delegate* unmanaged<nint, nint*, nint> SessionGetModelMetadata =
        (delegate* unmanaged<nint, nint*, nint>)Table[111];
    public static readonly delegate* unmanaged<nint, nint, byte**, nint> ModelMetadataGetProducerName =
        (delegate* unmanaged<nint, nint, byte**, nint>)Table[112];
    public static readonly delegate* unmanaged<nint, nint, byte**, nint> ModelMetadataGetGraphName =
        (delegate* unmanaged<nint, nint, byte**, nint>)Table[113];
    public static readonly delegate* unmanaged<nint, nint, byte**, nint> ModelMetadataGetDomain =
        (delegate* unmanaged<nint, nint, byte**, nint>)Table[114];
    public static readonly delegate* unmanaged<nint, nint, byte**, nint> ModelMetadataGetDescription =
        (delegate* unmanaged<nint, nint, byte**, nint>)Table[115];
    public static readonly delegate* unmanaged<nint, nint, byte*, byte**, nint> ModelMetadataLookupCustomMetadataMap =
        (delegate* unmanaged<nint, nint, byte*, byte**, nint>)Table[116];
    public static readonly delegate* unmanaged<nint, long*, nint> ModelMetadataGetVersion =
        (delegate* unmanaged<nint, long*, nint>)Table[117];
    public static readonly delegate* unmanaged<nint, nint, byte***, long*, nint> ModelMetadataGetCustomMetadataMapKeys =
        (delegate* unmanaged<nint, nint, byte***, long*, nint>)Table[123];
    public static readonly delegate* unmanaged<nint, nint, byte**, nint> ModelMetadataGetGraphDescription =
        (delegate* unmanaged<nint, nint, byte**, nint>)Table[158];
    public static readonly delegate* unmanaged<nint, void> ReleaseModelMetadata =
        (delegate* unmanaged<nint, void>)Table[118];

    // Values
    public static readonly delegate* unmanaged<nint, long*, nuint, int, nint*, nint> CreateTensorAsOrtValue =
        (delegate* unmanaged<nint, long*, nuint, int, nint*, nint>)Table[48];
    public static readonly delegate* unmanaged<nint, void*, nuint, long*, nuint, int, nint*, nint> CreateTensorWithDataAsOrtValue =
        (delegate* unmanaged<nint, void*, nuint, long*, nuint, int, nint*, nint>)Table[49];
    public static readonly delegate* unmanaged<nint, void**, nint> GetTensorMutableData =
        (delegate* unmanaged<nint, void**, nint>)Table[51];
    public static readonly delegate* unmanaged<nint, nint*, nint> GetTensorTypeAndShape =
        (delegate* unmanaged<nint, nint*, nint>)Table[65];
    public static readonly delegate* unmanaged<nint, nint*, nint> GetTypeInfo =
        (delegate* unmanaged<nint, nint*, nint>)Table[66];
    public static readonly delegate* unmanaged<nint, int*, nint> GetValueType =
        (delegate* unmanaged<nint, int*, nint>)Table[67];
    public static readonly delegate* unmanaged<nint, nuint, nuint*, nint> GetStringTensorElementLength =
        (delegate* unmanaged<nint, nuint, nuint*, nint>)Table[127];
    public static readonly delegate* unmanaged<nint, nuint, nuint, void*, nint> GetStringTensorElement =
        (delegate* unmanaged<nint, nuint, nuint, void*, nint>)Table[128];
    public static readonly delegate* unmanaged<nint, byte*, nuint, nint> FillStringTensorElement =
        (delegate* unmanaged<nint, byte*, nuint, nint>)Table[129];
    public static readonly delegate* unmanaged<nint, void> ReleaseValue = (delegate* unmanaged<nint, void>)Table[96];

    // Types and shapes
    public static readonly delegate* unmanaged<nint, nint*, nint> CastTypeInfoToTensorInfo =
        (delegate* unmanaged<nint, nint*, nint>)Table[55];
    public static readonly delegate* unmanaged<nint, int*, nint> GetOnnxTypeFromTypeInfo =
        (delegate* unmanaged<nint, int*, nint>)Table[56];
    public static readonly delegate* unmanaged<nint, int*, nint> GetTensorElementType =
        (delegate* unmanaged<nint, int*, nint>)Table[60];
    public static readonly delegate* unmanaged<nint, nuint*, nint> GetDimensionsCount =
        (delegate* unmanaged<nint, nuint*, nint>)Table[61];
    public static readonly delegate* unmanaged<nint, long*, nuint, nint> GetDimensions =
        (delegate* unmanaged<nint, long*, nuint, nint>)Table[62];
    public static readonly delegate* unmanaged<nint, byte**, nuint, nint> GetSymbolicDimensions =
        (delegate* unmanaged<nint, byte**, nuint, nint>)Table[63];
    public static readonly delegate* unmanaged<nint, nuint*, nint> GetTensorShapeElementCount =
        (delegate* unmanaged<nint, nuint*, nint>)Table[64];
    public static readonly delegate* unmanaged<nint, void> ReleaseTypeInfo = (delegate* unmanaged<nint, void>)Table[98];
    public static readonly delegate* unmanaged<nint, void> ReleaseTensorTypeAndShapeInfo =
        (delegate* unmanaged<nint, void>)Table[99];

    // Memory
    public static readonly delegate* unmanaged<int, int, nint*, nint> CreateCpuMemoryInfo =
        (delegate* unmanaged<int, int, nint*, nint>)Table[69];
    public static readonly delegate* unmanaged<nint, void*, nint> AllocatorFree =
        (delegate* unmanaged<nint, void*, nint>)Table[76];
    public static readonly delegate* unmanaged<nint*, nint> GetAllocatorWithDefaultOptions =
        (delegate* unmanaged<nint*, nint>)Table[78];
    public static readonly delegate* unmanaged<nint, void> ReleaseMemoryInfo =
        (delegate* unmanaged<nint, void>)Table[94];

    private static nint* Load(out string libraryVersion)
    {
        var getApiBase = (delegate* unmanaged<nint*>)NativeLibraryFile.Export("OrtGetApiBase");
        var apiBase = getApiBase();
        var getApi = (delegate* unmanaged<uint, nint*>)apiBase[0];
        var getVersion = (delegate* unmanaged<byte*>)apiBase[1];
        libraryVersion = NativeText.Read(getVersion());
        var table = getApi(Version);
        if (table is null)
        {
            throw new NotSupportedException(
                $"The native ONNX Runtime {libraryVersion} does not offer API version {Version}; " +
                $"use 1.{Version} or later.");
        }
        return table;
    }
}
