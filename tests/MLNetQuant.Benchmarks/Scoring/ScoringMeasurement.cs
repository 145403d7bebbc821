namespace MLNetQuant.Benchmarks.Scoring;

/// <summary>A pipeline, timed.</summary>
/// <param name="Pipeline">What it is.</param>
/// <param name="Formats">How many layers are written in each format; empty for float.</param>
/// <param name="Least">How many times as fast as the first pipeline it is to be; null for no limit.</param>
/// <param name="Seconds">Seconds of each pass over the rows.</param>
/// <param name="BytesPerRow">Managed bytes allocated for a row, on all threads: the median of the passes.</param>
/// <param name="Top1">Share of rows whose largest score is that of their class.</param>
internal sealed record ScoringMeasurement(
    string Pipeline, string Formats, double? Least, IReadOnlyList<double> Seconds, double BytesPerRow, double Top1)
{
    /// <summary>The median pass.</summary>
    public double Median => Seconds.Order().ElementAt(Seconds.Count / 2);

    /// <summary>How many times as fast as another it is.</summary>
    public double TimesAsFastAs(ScoringMeasurement other) => other.Median / Median;
}
