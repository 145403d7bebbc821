using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using ScoreSavedModel;

// Loads a saved model and scores rows from a text file with a bare MLContext:
//   ScoreSavedModel MODEL.zip ROWS.txt OUTPUT INPUT [INPUT]
// A line of the file is a row: numbers between blanks, and a bar between two inputs. Prints what a prediction engine gives, a
// row a line, and then what Transform gives, written so that reading them back gives the same floats.
var ml = new MLContext();
var model = ml.Model.Load(args[0], out _);
Row[] rows = [.. File.ReadLines(args[1]).Select(Row.Parse)];
var output = args[2];

var input = SchemaDefinition.Create(typeof(Row));
Describe(input[nameof(Row.First)], args[3], rows[0].First);
if (args.Length > 4)
    Describe(input[nameof(Row.Second)], args[4], rows[0].Second);
else
    input.Remove(input[nameof(Row.Second)]);

var scored = model.Transform(ml.Data.LoadFromEnumerable(rows, input));
float[][] printed = scored.Schema[output].Type is VectorDataViewType
    ? [.. Predict<VectorScore>(s => s.Score), .. scored.GetColumn<float[]>(output)]
    : [.. Predict<SingleScore>(s => [s.Score]), .. scored.GetColumn<float>(output).Select(s => new[] { s })];
foreach (var scores in printed)
    Console.WriteLine(string.Join(' ', scores.Select(s => s.ToString("R", CultureInfo.InvariantCulture))));
(model as IDisposable)?.Dispose();

static void Describe(SchemaDefinition.Column column, string name, float[] values)
{
    column.ColumnName = name;
    column.ColumnType = new VectorDataViewType(NumberDataViewType.Single, values.Length);
}

IEnumerable<float[]> Predict<T>(Func<T, float[]> scoresOf)
    where T : class, new()
{
    var definition = SchemaDefinition.Create(typeof(T));
    definition[0].ColumnName = output;
    using var engine = ml.Model.CreatePredictionEngine<Row, T>(
        model, new PredictionEngineOptions { InputSchemaDefinition = input, OutputSchemaDefinition = definition, OwnsTransformer = false });
    foreach (var row in rows)
        yield return scoresOf(engine.Predict(row));
}
