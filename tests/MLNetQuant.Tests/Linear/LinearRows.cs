using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetQuant.Tests.Linear;

/// <summary>
/// Rows to train linear models on: correlated features, and labels with noise, as labels have: near the border both are about
/// as likely.
/// </summary>
internal static class LinearRows
{
    private const int Width = 60;

    /// <param name="ml">The context.</param>
    /// <param name="task">BinaryClassification, Regression or MulticlassClassification.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="seed">Of the rows; the truth behind them is always the same.</param>
    public static IDataView View(MLContext ml, string task, int count, int seed)
    {
        var truth = new Random(0);
        float[][] weights = [.. Enumerable.Range(0, 4).Select(_ => Enumerable.Range(0, Width).Select(_ => Gaussian(truth) / MathF.Sqrt(Width)).ToArray())];
        var random = new Random(seed);
        (float[] X, float[] Scores)[] rows = [.. Enumerable.Range(0, count).Select(_ =>
        {
            var common = Gaussian(random);
            float[] x = [.. Enumerable.Range(0, Width).Select(_ => (0.7f * Gaussian(random)) + (0.3f * common))];
            return (x, weights.Select(w => x.Zip(w, (a, b) => a * b).Sum() + (0.5f * Gaussian(random))).ToArray());
        })];
        return task switch
        {
            "BinaryClassification" => Load(ml, rows.Select(r => new Binary { Features = r.X, Label = r.Scores[0] > 0 })),
            "Regression" => Load(ml, rows.Select(r => new Regression { Features = r.X, Label = MathF.Exp(r.Scores[0]) })),
            _ => Load(ml, rows.Select(r => new Multiclass { Features = r.X, Label = (uint)Array.IndexOf(r.Scores, r.Scores.Max()) + 1 }), classes: 4),
        };
    }

    /// <summary>The features have names, and the classes have, where there are some.</summary>
    private static IDataView Load<T>(MLContext ml, IEnumerable<T> rows, int classes = 0)
        where T : class
    {
        var schema = SchemaDefinition.Create(typeof(T));
        Name("Features", "SlotNames", "feature", Width);
        if (classes > 0)
            Name("Label", "KeyValues", "class", classes);
        return ml.Data.LoadFromEnumerable(rows, schema);

        void Name(string column, string kind, string name, int count) => schema[column].AddAnnotation(
            kind,
            new VBuffer<ReadOnlyMemory<char>>(count, [.. Enumerable.Range(0, count).Select(i => $"{name} {i}".AsMemory())]),
            new VectorDataViewType(TextDataViewType.Instance, count));
    }

    private static float Gaussian(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));

    private sealed class Binary
    {
        [VectorType(Width)]
        public float[] Features { get; set; } = [];

        public bool Label { get; set; }
    }

    private sealed class Regression
    {
        [VectorType(Width)]
        public float[] Features { get; set; } = [];

        public float Label { get; set; }
    }

    private sealed class Multiclass
    {
        [VectorType(Width)]
        public float[] Features { get; set; } = [];

        [KeyType(4)]
        public uint Label { get; set; }
    }
}
