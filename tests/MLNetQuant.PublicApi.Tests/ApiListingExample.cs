#pragma warning disable CA1000, CA1045, CA1051, CA1063, CA1816, CA1822, CA1028, CA1008, CA2211, CA1019 // one of everything, to be listed

namespace MLNetQuant.PublicApi.Tests;

/// <summary>Members of every kind.</summary>
public abstract class ApiListingExample<T> : IDisposable
    where T : unmanaged
{
    /// <summary>A constant.</summary>
    public const string Name = "a";

    /// <summary>A field.</summary>
    public static readonly int[]? Field = [1];

    private readonly T[] _values;

    /// <summary>A constructor.</summary>
    protected ApiListingExample(int count = 3) => _values = new T[count];

    /// <summary>A property.</summary>
    public abstract IReadOnlyList<string?> Items { get; }

    /// <summary>Another.</summary>
    public required string Text { get; init; }

    /// <summary>Another.</summary>
    public int Number { get; protected set; }

    /// <summary>An indexer.</summary>
    public ref T this[int row] => ref _values[row];

    /// <summary>A method.</summary>
    public static void Sort<TKey>(ref TKey key, out int? place, in double d, params string[] names)
        where TKey : class, IComparable<TKey>, new() => place = key is null ? names?.Length : (int)d;

    /// <summary>Another.</summary>
    public virtual void Dispose()
    {
    }

    /// <summary>Another.</summary>
    public override string ToString() => Name;
}
