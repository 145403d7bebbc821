using MLNetQuant.Cli.Commands;

namespace MLNetQuant.Cli.Tests;

/// <summary>Runs the program within the test's process.</summary>
internal static class CommandLine
{
    public static CommandResult Run(params string[] args) => Run(CancellationToken.None, args);

    public static CommandResult Run(CancellationToken cancellationToken, params string[] args)
    {
        using StringWriter output = new(), error = new();
        var exit = Program.Run(args, new CommandContext(output, error, Interactive: false, cancellationToken));
        return new CommandResult(exit, output.ToString(), error.ToString());
    }
}

/// <summary>What a command line did.</summary>
internal sealed record CommandResult(int Exit, string Output, string Error)
{
    /// <summary>Demands one sentence on standard error, nothing on standard output, and this exit code.</summary>
    public void ShouldFail(int exit, string sentence)
    {
        Assert.Equal(sentence + Environment.NewLine, Error);
        Assert.Equal("", Output);
        Assert.Equal(exit, Exit);
    }

    public CommandResult ShouldSucceed()
    {
        Assert.Equal("", Error);
        Assert.Equal(0, Exit);
        return this;
    }
}
