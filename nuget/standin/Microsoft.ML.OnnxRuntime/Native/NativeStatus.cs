namespace Microsoft.ML.OnnxRuntime.Native;

/// <summary>What a native call returns: nothing on success, otherwise a code and a message to release.</summary>
internal static unsafe class NativeStatus
{
    /// <exception cref="OnnxRuntimeException">The call failed; carries the native message.</exception>
    public static void Check(nint status)
    {
        if (status != 0)
            throw Take(status);
    }

    private static OnnxRuntimeException Take(nint status)
    {
        try
        {
            return new OnnxRuntimeException(
                (ErrorCode)OrtApi.GetErrorCode(status), NativeText.Read(OrtApi.GetErrorMessage(status)));
        }
        finally
        {
            OrtApi.ReleaseStatus(status);
        }
    }
}
