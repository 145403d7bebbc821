using System.Globalization;

namespace MLNetQuant.Cli.Commands;

/// <summary>An amount of memory as the command line says it: "2GB", "1.5 GiB", "500mb".</summary>
/// <param name="Bytes">How many bytes.</param>
internal sealed record ByteCount(long Bytes)
{
    private static readonly (string Name, long Bytes)[] Units =
    [
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000),
    ];

    /// <exception cref="FormatException">The text is no amount of memory above zero.</exception>
    public static ByteCount Parse(string text)
    {
        var unit = Array.Find(Units, u => text.EndsWith(u.Name, StringComparison.OrdinalIgnoreCase));
        if (unit.Name is not null
            && decimal.TryParse(text.AsSpan(0, text.Length - unit.Name.Length).Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number > 0
            && number <= long.MaxValue / unit.Bytes)
        {
            return new((long)(number * unit.Bytes));
        }

        throw new FormatException($"\"{text}\" is not an amount of memory; use a number with KB, MB, GB, KiB, MiB or GiB, such as 2GB.");
    }
}
