namespace MLNetQuant.Cli.Commands;

/// <summary>What a command talks to.</summary>
/// <param name="Output">Results.</param>
/// <param name="Error">Messages of failure.</param>
/// <param name="Interactive">Whether <paramref name="Output"/> is a terminal, so that a progress bar has a reader.</param>
/// <param name="CancellationToken">Set by Ctrl-C.</param>
internal sealed record CommandContext(
    TextWriter Output, TextWriter Error, bool Interactive, CancellationToken CancellationToken);
