namespace MLNetQuant.Benchmarks.Speed;

/// <summary>One quantized model, timed against float.</summary>
/// <param name="Model">Its name.</param>
/// <param name="Target">What it was quantized for.</param>
/// <param name="Formats">How many layers are written in each format.</param>
/// <param name="FloatBytes">Bytes of the float file.</param>
/// <param name="Bytes">Bytes of the quantized file.</param>
/// <param name="OutputError">Largest relative error of an output on rows held back.</param>
/// <param name="Times">Median milliseconds by batch size.</param>
internal sealed record SpeedMeasurement(
    string Model,
    FormatTarget Target,
    IReadOnlyList<KeyValuePair<string, int>> Formats,
    long FloatBytes,
    long Bytes,
    double OutputError,
    IReadOnlyList<BatchTime> Times);

/// <summary>Median times of one batch.</summary>
/// <param name="Rows">Rows of the batch.</param>
/// <param name="Runs">How often each model ran.</param>
/// <param name="FloatMilliseconds">Of the float model.</param>
/// <param name="Milliseconds">Of the quantized one.</param>
internal sealed record BatchTime(int Rows, int Runs, double FloatMilliseconds, double Milliseconds);
