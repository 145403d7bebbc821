namespace MLNetQuant.Benchmarks.Accuracy;

/// <summary>A file or an argument that cannot be used; the message says which and how to mend it.</summary>
internal sealed class AccuracyException : Exception
{
    public AccuracyException(string message) : base(message)
    {
    }

    public AccuracyException(string message, Exception inner) : base(message, inner)
    {
    }
}
