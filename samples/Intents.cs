using Microsoft.ML.Data;

namespace Samples;

/// <summary>A sentence, and what it asks for.</summary>
internal sealed class Sentence
{
    public string Text { get; set; } = "";

    public string Intent { get; set; } = "";
}

/// <summary>What the model reads: numbers of words, the last one at the end.</summary>
internal sealed class Tokens
{
    [ColumnName("tokens")]
    [VectorType(Intents.Length)]
    public long[] Values { get; set; } = new long[Intents.Length];
}

/// <summary>A score for each intent.</summary>
internal sealed class Scores
{
    [ColumnName("logits")]
    public float[] Values { get; set; } = [];

    public string Intent { get; set; } = "";

    public string Best => Intents.Labels[Values.AsSpan().IndexOf(Values.Max())];
}

/// <summary>The sentences, words and labels that come with the samples.</summary>
internal static class Intents
{
    public const int Length = 16;

    private const long OtherWord = 1;

    private static readonly Dictionary<string, long> Words =
        File.ReadLines(Path.Combine(Folder, "words.txt")).Select((word, i) => (word, i)).ToDictionary(w => w.word, w => (long)w.i);

    public static string[] Labels { get; } = File.ReadAllLines(Path.Combine(Folder, "labels.txt"));

    public static string ModelFile => Path.Combine(AppContext.BaseDirectory, "data", "intents_gru.onnx");

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "data", "intents");

    public static IReadOnlyList<Sentence> Read(string part) =>
    [
        .. File.ReadLines(Path.Combine(Folder, $"{part}.tsv")).Select(line => line.Split('\t'))
            .Select(columns => new Sentence { Intent = columns[0], Text = columns[1] }),
    ];

    /// <summary>Numbers the last words of a sentence, behind zeros.</summary>
    public static void Tokenize(Sentence sentence, Tokens tokens)
    {
        var numbers = sentence.Text.ToLowerInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(word => Words.GetValueOrDefault(word, OtherWord)).TakeLast(Length).ToArray();
        tokens.Values = [.. new long[Length - numbers.Length], .. numbers];
    }
}
