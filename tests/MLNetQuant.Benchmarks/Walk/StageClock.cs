using System.Diagnostics;

namespace MLNetQuant.Benchmarks.Walk;

/// <summary>Adds up what each stage of a run takes, by the clock and in processor time.</summary>
internal sealed class StageClock : IProgress<QuantizationProgress>
{
    private readonly Dictionary<string, Effort> _efforts = [];
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private string _stage = "plan";
    private Effort _begin = new(0, Processors());

    public void Report(QuantizationProgress value) => Begin(value.Stage);

    /// <summary>What the stages of these names took.</summary>
    public Effort Of(params string[] stages) => stages
        .Select(s => _efforts.GetValueOrDefault(s))
        .Aggregate((a, b) => new(a.Clock + b.Clock, a.Processors + b.Processors));

    public void Stop() => Begin("");

    private void Begin(string stage)
    {
        var now = new Effort(_watch.Elapsed.TotalSeconds, Processors());
        var sum = _efforts.GetValueOrDefault(_stage);
        _efforts[_stage] = new(sum.Clock + now.Clock - _begin.Clock, sum.Processors + now.Processors - _begin.Processors);
        (_stage, _begin) = (stage, now);
    }

    private static double Processors()
    {
        using var process = Process.GetCurrentProcess();
        return process.TotalProcessorTime.TotalSeconds;
    }
}
