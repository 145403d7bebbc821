namespace MLNetQuant.Onnx.Saved;

/// <summary>An ONNX step or a linear model, read once for a comparison.</summary>
internal abstract class ComparedStep(SavedStep step)
{
    public SavedStep Step => step;

    /// <summary>The columns whose rows it takes.</summary>
    public abstract IReadOnlyList<string> Columns { get; }

    /// <exception cref="QuantizationException">The step is damaged.</exception>
    public static ComparedStep Read(SavedModel model, SavedStep step) => step.Kind == SavedStepKind.Linear
        ? new Linear(step, model.ReadLinear(step))
        : new Onnx(step, model.ReadOnnx(step).Model);

    /// <summary>Checks that another step is a form of this one.</summary>
    /// <exception cref="QuantizationException">It is not.</exception>
    public abstract void RequireSameForm(ComparedStep other);

    /// <summary>Compares the outputs of two forms of a step.</summary>
    /// <exception cref="QuantizationException">The rows do not fit.</exception>
    public abstract ModelComparison Measure(ComparedStep other, CalibrationData data, int batchSize, int threads, CancellationToken cancellationToken);

    private sealed class Linear(SavedStep step, SavedLinearModel model) : ComparedStep(step)
    {
        private readonly SavedLinearModel _model = model;

        public override IReadOnlyList<string> Columns => [_model.FeatureColumn];

        public override void RequireSameForm(ComparedStep other) =>
            LinearComparison.RequireSameForm(_model, ((Linear)other)._model, Step.Folder);

        public override ModelComparison Measure(ComparedStep other, CalibrationData data, int batchSize, int threads, CancellationToken cancellationToken) =>
            LinearComparison.Measure(_model, ((Linear)other)._model, data.Inputs[_model.FeatureColumn], Step.Folder);
    }

    private sealed class Onnx(SavedStep step, OnnxModel model) : ComparedStep(step)
    {
        private readonly OnnxModel _model = model;

        public override IReadOnlyList<string> Columns { get; } = [.. model.Inputs.Select(i => i.Name)];

        public override void RequireSameForm(ComparedStep other)
        {
            if (!Columns.ToHashSet().SetEquals(other.Columns))
            {
                throw new QuantizationException(
                    $"The step '{Step.Folder}' has the inputs {Listed(Columns)} in one model, and {Listed(other.Columns)} in the other: compare two forms of one model.");
            }
        }

        public override ModelComparison Measure(ComparedStep other, CalibrationData data, int batchSize, int threads, CancellationToken cancellationToken) => ModelComparer.Compare(
            _model, ((Onnx)other)._model, new(Columns.ToDictionary(c => c, c => data.Inputs[c])), batchSize, threads, cancellationToken);

        private static string Listed(IEnumerable<string> names) => string.Join(", ", names.Select(n => $"'{n}'"));
    }
}
