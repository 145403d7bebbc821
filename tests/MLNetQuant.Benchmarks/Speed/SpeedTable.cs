using System.Globalization;
using System.Text;

namespace MLNetQuant.Benchmarks.Speed;

/// <summary>Writes measurements as Markdown.</summary>
internal static class SpeedTable
{
    public static string Write(IEnumerable<SpeedMeasurement> measured, string command)
    {
        var text = new StringBuilder();
        text.AppendLine("# Speed of real models").AppendLine()
            .AppendLine(CultureInfo.InvariantCulture, $"Written by `{command}`.")
            .AppendLine("Eight bits, ONNX Runtime on one thread; the float model and both quantized ones take turns, medians. A ratio is the time of")
            .AppendLine("the quantized file over that of the float model: below 1 it is faster. Target size is the default. Output error: relative, on")
            .AppendLine("calibration rows held back.").AppendLine()
            .AppendLine("| model | target | layers by format | bytes | of float | output error | rows | runs | float ms | ms | ratio | times as fast |")
            .AppendLine("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (var m in measured)
            text.AppendLine(Row(m));
        return text.ToString();
    }

    /// <summary>The rows of one file, one for each batch size.</summary>
    public static string Row(SpeedMeasurement m) => string.Join(Environment.NewLine, m.Times.Select(t => string.Create(
        CultureInfo.InvariantCulture,
        $"| {m.Model} | {m.Target.ToString().ToLowerInvariant()} | {string.Join(", ", m.Formats.Select(f => $"{f.Key} {f.Value}"))} | {m.Bytes:N0} | {(double)m.Bytes / m.FloatBytes:0.00} | {m.OutputError:P2} | {t.Rows} | {t.Runs} | {t.FloatMilliseconds:0.000} | {t.Milliseconds:0.000} | {t.Milliseconds / t.FloatMilliseconds:0.00} | {t.FloatMilliseconds / t.Milliseconds:0.00} |")));
}
