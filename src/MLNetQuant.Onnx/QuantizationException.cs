namespace MLNetQuant;

/// <summary>
/// Something the caller handed in cannot be quantized. The message is one sentence that names the thing
/// (file, input, row, column, option, layer) and says how to mend it.
/// </summary>
public sealed class QuantizationException : Exception
{
    /// <summary>Creates the exception with its sentence.</summary>
    /// <param name="message">One sentence that names the thing and the mend.</param>
    public QuantizationException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with its sentence and the failure beneath it.</summary>
    /// <param name="message">One sentence that names the thing and the mend.</param>
    /// <param name="innerException">The failure that was met.</param>
    public QuantizationException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
