using MLNetQuant.Cli.Commands;
using Spectre.Console;

namespace MLNetQuant.Cli.Output;

/// <summary>Shows how far a run has come, on a terminal.</summary>
internal static class ProgressBar
{
    /// <summary>Runs the work under a progress bar that is gone when the work is done.</summary>
    public static T Show<T>(CommandContext context, Func<IProgress<QuantizationProgress>, T> work) =>
        Tables.Console(context).Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .Start(bar => work(new Reporter(bar.AddTask("start", maxValue: 1))));

    // System.Progress would post to another thread, and the last step could come after the end.
    private sealed class Reporter(ProgressTask task) : IProgress<QuantizationProgress>
    {
        public void Report(QuantizationProgress value)
        {
            task.Description = Markup.Escape(value.Layer is null ? value.Stage : $"{value.Stage} {value.Layer}");
            task.Value = value.Fraction;
        }
    }
}
