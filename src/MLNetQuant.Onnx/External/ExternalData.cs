namespace MLNetQuant;

/// <summary>Whether a saved model keeps large tensors in a file of their own, its name with ".data" added, beside the model.</summary>
public enum ExternalData
{
    /// <summary>Where the whole would be above 1.5 GB; a file without is easier to move, and ML.NET can load it.</summary>
    Auto,

    /// <summary>For every tensor above 1 KB.</summary>
    Always,

    /// <summary>One file, of at most 2 GB, the limit of the file format.</summary>
    Never,
}
