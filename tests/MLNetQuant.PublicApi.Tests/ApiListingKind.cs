#pragma warning disable CA1028, CA1008 // one of everything, to be listed

namespace MLNetQuant.PublicApi.Tests;

/// <summary>An enumeration to be listed.</summary>
public enum ApiListingKind : byte
{
    /// <summary>One.</summary>
    First = 1,

    /// <summary>Two.</summary>
    Second,
}

/// <summary>A value to be listed.</summary>
/// <param name="X">One.</param>
/// <param name="Y">Two.</param>
public readonly record struct ApiListingPoint(int X, double? Y);
