using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

// Loads a saved model and scores vectors from a text file (one row a line) with a bare MLContext:
//   ScoreSavedModel MODEL.zip ROWS.txt
// prints the scores, one row a line, written so that reading them back gives the same floats.
var ml = new MLContext();
var model = ml.Model.Load(args[0], out _);
var rows = File.ReadLines(args[1]).Select(line => new Row { Features = Parse(line) }).ToArray();
using var engine = ml.Model.CreatePredictionEngine<Row, Scored>(model);
foreach (var row in rows)
    Console.WriteLine(string.Join(' ', engine.Predict(row).Scores.Select(s => s.ToString("R", CultureInfo.InvariantCulture))));

static float[] Parse(string line) =>
    [.. line.Split(' ').Select(v => float.Parse(v, CultureInfo.InvariantCulture))];

internal sealed class Row
{
    [VectorType(784)]
    [ColumnName("input")]
    public float[] Features { get; set; } = [];
}

internal sealed class Scored
{
    [ColumnName("logits")]
    public float[] Scores { get; set; } = [];
}
