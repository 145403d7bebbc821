using System.Globalization;

namespace ScoreSavedModel;

/// <summary>One or two vectors; which columns they are is known when the program runs.</summary>
internal sealed class Row
{
    public float[] First { get; set; } = [];

    public float[] Second { get; set; } = [];

    public static Row Parse(string line)
    {
        float[][] inputs = [.. line.Split('|').Select(Numbers)];
        return new() { First = inputs[0], Second = inputs.ElementAtOrDefault(1) ?? [] };
    }

    private static float[] Numbers(string text) =>
        [.. text.Split(' ').Select(v => float.Parse(v, CultureInfo.InvariantCulture))];
}
