namespace MLNetQuant;

/// <summary>What <see cref="WeightFormat.Auto"/> looks for.</summary>
public enum FormatTarget
{
    /// <summary>The smallest file, which runs at float speed: <see cref="WeightFormat.Folded"/>. The bytes do not depend on the machine.</summary>
    Size,

    /// <summary>
    /// Of the files that are as fast as the float model and hardly larger than the smallest one, the fastest. Files are
    /// timed on this machine, so that which format is taken may differ from one run to the next.
    /// </summary>
    Balanced,

    /// <summary>
    /// The fastest file. Files are timed on this machine, so that which format is taken may differ from one run to the
    /// next.
    /// </summary>
    Speed,
}
