using System.CommandLine;
using System.Runtime.InteropServices;
using MLNetQuant.Cli.Commands;

namespace MLNetQuant.Cli;

/// <summary>The <c>mlnetquant</c> command.</summary>
internal static class Program
{
    private const int Done = 0;
    private const int Failed = 1;
    private const int WrongUsage = 2;

    public static int Main(string[] args)
    {
        using var cancellation = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        Console.OutputEncoding = System.Text.Encoding.UTF8;
        return Run(args, new CommandContext(Console.Out, Console.Error, !Console.IsOutputRedirected, cancellation.Token));

        void Cancel(PosixSignalContext signal)
        {
            signal.Cancel = true;
            cancellation.Cancel();
        }
    }

    /// <summary>Runs one command line.</summary>
    /// <returns>0 done, 1 failed, 2 wrong usage.</returns>
    public static int Run(string[] args, CommandContext context)
    {
        var root = new RootCommand("Quantizes the weights of ONNX models after training.")
        {
            QuantizeCommand.Create(context),
            InspectCommand.Create(context),
            CompareCommand.Create(context),
        };
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
                context.Error.WriteLine(error.Message);
            var command = parsed.CommandResult.Command is RootCommand ? "" : $"{parsed.CommandResult.Command.Name} ";
            context.Error.WriteLine($"Run 'mlnetquant {command}--help' for usage.");
            return WrongUsage;
        }

        try
        {
            parsed.Invoke(new InvocationConfiguration
            {
                Output = context.Output,
                Error = context.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
            return Done;
        }
        catch (UsageException e)
        {
            context.Error.WriteLine(e.Message);
            return WrongUsage;
        }
        catch (OperationCanceledException)
        {
            context.Error.WriteLine("Cancelled: nothing was written.");
            return Failed;
        }
        catch (QuantizationException e)
        {
            context.Error.WriteLine(e.Message);
            return Failed;
        }
#pragma warning disable CA1031 // The last resort of a command: a sentence instead of a stack.
        catch (Exception e)
#pragma warning restore CA1031
        {
            context.Error.WriteLine($"Failed unexpectedly ({e.GetType().Name}): {e.Message}");
            return Failed;
        }
    }
}
