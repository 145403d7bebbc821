using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetQuant.Tests.Linear;

public sealed class TrainedLinearModelTests
{
    private const int Width = 60;

    private readonly MLContext _ml = new(seed: 1);

    public static TheoryData<string, string, string, int, double> Models
    {
        get
        {
            var models = new TheoryData<string, string, string, int, double>();
            foreach (var (task, trainer, metric) in new[]
            {
                ("BinaryClassification", "SdcaLogisticRegression", "Accuracy"),
                ("BinaryClassification", "LbfgsLogisticRegression", "Accuracy"),
                ("BinaryClassification", "AveragedPerceptron", "Accuracy"),
                ("Regression", "Sdca", "RSquared"),
                ("Regression", "LbfgsPoissonRegression", "RSquared"),
                ("MulticlassClassification", "SdcaMaximumEntropy", "MicroAccuracy"),
                ("MulticlassClassification", "SdcaNonCalibrated", "MicroAccuracy"),
                ("MulticlassClassification", "LbfgsMaximumEntropy", "MicroAccuracy"),
                ("MulticlassClassification", "OneVersusAll:LbfgsLogisticRegression", "MicroAccuracy"),
            })
            {
                models.Add(task, trainer, metric, 8, 0.002);
                models.Add(task, trainer, metric, 4, 0.01);
            }

            return models;
        }
    }

    [TrainersTheory]
    [MemberData(nameof(Models))]
    public void A_trained_linear_model_keeps_its_type_columns_and_metric(string task, string trainer, string metric, int bits, double limit)
    {
        var (train, test) = (Rows(task, 2000, 1), Rows(task, 10_000, 2));
        var model = Trainers.Create(_ml, task, trainer).Fit(train);
        var quantized = _ml.Model.QuantizeWeights(model, train, out var report, new() { Bits = bits });

        Assert.Equal("1", Assert.Single(report.Quantized).Position);
        Assert.InRange(report.QuantizedBytes, 1, report.FloatBytes - 1);
        Assert.IsType(model.GetType(), quantized);
        Assert.Equal(Describe(model.GetOutputSchema(test.Schema)), Describe(quantized.GetOutputSchema(test.Schema)));
        Assert.InRange(Evaluate(task, metric, quantized.Transform(test)), Evaluate(task, metric, model.Transform(test)) - limit, 1);

        using var stream = new MemoryStream();
        _ml.Model.Save(quantized, test.Schema, stream);
        var loaded = new MLContext().Model.Load(new MemoryStream(stream.ToArray()), out _);
        Assert.Equal(Evaluate(task, metric, quantized.Transform(test)), Evaluate(task, metric, loaded.Transform(test)), 6);
    }

    [TrainersTheory]
    [InlineData("SdcaLogisticRegression")]
    public void Cross_validation_quantizes_the_model_of_each_fold(string trainer)
    {
        var reports = new List<ChainQuantizationReport>();
        IEstimator<ITransformer> estimator = Trainers.Create(_ml, "BinaryClassification", trainer)
            .WithQuantizedWeights(_ml, new() { Bits = 4 }, reports.Add);
        dynamic task = ((dynamic)_ml).BinaryClassification;
        var folds = 0;
        foreach (var fold in task.CrossValidate(Rows("BinaryClassification", 2000, 1), estimator, 3))
        {
            Assert.InRange((double)fold.Metrics.Accuracy, 0.65, 1);
            folds++;
        }

        Assert.Equal(3, folds);
        Assert.Equal(3, reports.Count(r => r.Quantized is [{ TypeName: "LinearBinaryModelParameters" }]));
    }

    private static string Describe(DataViewSchema schema) => string.Join('\n', schema.Select(c => $"{c.Name} {c.Type} {c.IsHidden}"));

    private double Evaluate(string task, string metric, IDataView scored)
    {
        dynamic tasks = _ml.GetType().GetProperty(task)!.GetValue(_ml)!;
        var isCalibrated = scored.Schema.GetColumnOrNull("Probability") is not null;
        object metrics = task == "BinaryClassification" && !isCalibrated ? tasks.EvaluateNonCalibrated(scored) : tasks.Evaluate(scored);
        return (double)metrics.GetType().GetProperty(metric)!.GetValue(metrics)!;
    }

    /// <summary>Correlated features, and labels with noise, as labels have: near the border both are about as likely.</summary>
    private IDataView Rows(string task, int count, int seed)
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
            "BinaryClassification" => _ml.Data.LoadFromEnumerable(rows.Select(r => new Binary { Features = r.X, Label = r.Scores[0] > 0 })),
            "Regression" => _ml.Data.LoadFromEnumerable(rows.Select(r => new Regression { Features = r.X, Label = MathF.Exp(r.Scores[0]) })),
            _ => _ml.Data.LoadFromEnumerable(rows.Select(r => new Multiclass { Features = r.X, Label = (uint)Array.IndexOf(r.Scores, r.Scores.Max()) + 1 })),
        };
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
