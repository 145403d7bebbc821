namespace MLNetQuant.Benchmarks;

/// <summary>A multiple of a bare product that was measured in the same iteration.</summary>
/// <param name="What">The work.</param>
/// <param name="Limit">What it may reach, or null where there is no limit.</param>
/// <param name="Clock">Of the clock: one per iteration.</param>
/// <param name="Processors">Of processor time: one per iteration.</param>
/// <param name="Seconds">The bare product alone, by the clock.</param>
internal sealed record Multiple(string What, double? Limit, List<double> Clock, List<double> Processors, List<double> Seconds);

/// <summary>Times of one algorithm on layers of growing size.</summary>
internal sealed record Growth(string Algorithm, SortedDictionary<long, List<Effort>> ByWeights);

/// <summary>
/// What the benchmarks found. One for the process, because BenchmarkDotNet makes the benchmark objects itself and its
/// own results cannot hold pairs that were measured in turn.
/// </summary>
internal sealed class Measurements
{
    public static Measurements OfThisRun { get; } = new();

    public List<Multiple> Multiples { get; } = [];

    public List<Growth> Growths { get; } = [];

    public void Add(string what, double? limit, Effort work, Effort bare)
    {
        var multiple = Multiples.Find(m => m.What == what);
        if (multiple is null)
            Multiples.Add(multiple = new(what, limit, [], [], []));
        multiple.Clock.Add(work.Clock / bare.Clock);
        multiple.Processors.Add(work.Processors / bare.Processors);
        multiple.Seconds.Add(bare.Clock);
    }

    public void Add(string algorithm, long weights, Effort effort)
    {
        var growth = Growths.Find(g => g.Algorithm == algorithm);
        if (growth is null)
            Growths.Add(growth = new(algorithm, []));
        if (!growth.ByWeights.TryGetValue(weights, out var efforts))
            growth.ByWeights.Add(weights, efforts = []);
        efforts.Add(effort);
    }

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
