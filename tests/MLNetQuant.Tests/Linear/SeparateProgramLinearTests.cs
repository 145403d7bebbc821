using Microsoft.ML;
using MLNetQuant.Tests.Data;

namespace MLNetQuant.Tests.Linear;

/// <summary>Quantized linear models, saved, in a program that references only ML.NET.</summary>
public sealed class SeparateProgramLinearTests
{
    private readonly MLContext _ml = new(seed: 1);

    [TrainersTheory]
    [InlineData("BinaryClassification", "SdcaLogisticRegression", false)]
    [InlineData("BinaryClassification", "AveragedPerceptron", false)]
    [InlineData("Regression", "Sdca", false)]
    [InlineData("Regression", "LbfgsPoissonRegression", false)]
    [InlineData("MulticlassClassification", "SdcaMaximumEntropy", false)]
    [InlineData("MulticlassClassification", "SdcaNonCalibrated", false)]
    [InlineData("MulticlassClassification", "OneVersusAll:LbfgsLogisticRegression", false)]
    [InlineData("BinaryClassification", "SdcaLogisticRegression", true)]
    [InlineData("Regression", "Sdca", true)]
    [InlineData("MulticlassClassification", "SdcaMaximumEntropy", true)]
    public async Task It_scores_the_same(string task, string trainer, bool byEstimator)
    {
        var (rows, options) = (LinearRows.View(_ml, task, 1000, 1), new QuantizationOptions { Bits = 4 });
        IEstimator<ITransformer> estimator = Trainers.Create(_ml, task, trainer);
        var model = byEstimator
            ? estimator.WithQuantizedWeights(_ml, options).Fit(rows)
            : _ml.Model.QuantizeWeights(estimator.Fit(rows), rows, options);
        await ScoresTheSame(model, task);
    }

    [TrainersTheory]
    [InlineData("SdcaLogisticRegression")]
    public async Task It_scores_the_model_of_each_fold_of_a_cross_validation_the_same(string trainer)
    {
        IEstimator<ITransformer> estimator = Trainers.Create(_ml, "BinaryClassification", trainer).WithQuantizedWeights(_ml, new() { Bits = 4 });
        dynamic task = ((dynamic)_ml).BinaryClassification;
        foreach (var fold in task.CrossValidate(LinearRows.View(_ml, "BinaryClassification", 1000, 1), estimator, 2))
            await ScoresTheSame((ITransformer)fold.Model, "BinaryClassification");
    }

    private Task ScoresTheSame(ITransformer model, string task) =>
        SeparateProgram.AssertScoresTheSame(_ml, model, LinearRows.View(_ml, task, 20, 2), "Score", "Features");
}
