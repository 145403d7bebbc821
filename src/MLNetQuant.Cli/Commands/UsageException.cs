namespace MLNetQuant.Cli.Commands;

/// <summary>The command line cannot mean what it says; exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message);
