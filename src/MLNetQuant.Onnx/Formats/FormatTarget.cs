namespace MLNetQuant;

/// <summary>
/// What <see cref="WeightFormat.Auto"/> looks for. Balanced and speed write the layers as <see cref="WeightFormat.Folded"/>,
/// <see cref="WeightFormat.Dynamic"/> and <see cref="WeightFormat.Packed"/>, and compare the three files. They never take one
/// that runs slower than 1.05 times the float model at one of <see cref="QuantizationOptions.TimedBatchSizes"/>, nor one whose
/// activations raise the relative error of an output, on calibration rows held back where there are enough, by more than half
/// over that of the weights alone; except that an error of up to 2 % always passes, because beside weights of eight bits any
/// activations of eight bits would be ruled out (<see cref="FormatTiming.Tolerated"/> says so). Nor do they give up
/// <see cref="WeightFormat.Folded"/> for less than a twentieth of its time. Where no other file is left it is folded.
/// </summary>
public enum FormatTarget
{
    /// <summary>The smallest file, which runs at float speed: <see cref="WeightFormat.Folded"/>. The bytes do not depend on the machine.</summary>
    Size,

    /// <summary>
    /// Of the files that are at most a tenth larger than the smallest one, the fastest. Files are timed on this machine, so
    /// that which format is taken may differ from one run to the next.
    /// </summary>
    Balanced,

    /// <summary>
    /// The fastest file. Files are timed on this machine, so that which format is taken may differ from one run to the
    /// next.
    /// </summary>
    Speed,
}
