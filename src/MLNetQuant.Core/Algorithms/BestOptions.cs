namespace MLNetQuant.Algorithms;

/// <summary>How much work <see cref="Best"/> does on a layer.</summary>
public enum Effort
{
    /// <summary>Each algorithm runs once; the winner is not refined.</summary>
    Quick,

    /// <summary>Each algorithm runs once; the winner searches its steps, re-rounds and refits its scales.</summary>
    Normal,

    /// <summary>Every algorithm searches its steps, re-rounds and refits its scales before the winner is chosen.</summary>
    Thorough,
}

/// <summary>The choices of <see cref="Best"/>.</summary>
public sealed record BestOptions
{
    /// <summary>How much work to do. Default <see cref="Effort.Normal"/>.</summary>
    public Effort Effort { get; init; } = Effort.Normal;
}
