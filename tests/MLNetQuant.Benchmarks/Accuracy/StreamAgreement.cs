using MLNetQuant.Onnx;

namespace MLNetQuant.Benchmarks.Accuracy;

/// <summary>
/// The share of frames on which a streaming detector decides as the float model did: output at least 1/2 or below. Each
/// frame gets the state that the frame before it left.
/// </summary>
internal sealed class StreamAgreement : Metric
{
    private const float Threshold = 0.5f;

    private readonly ManifestModel _model;
    private readonly ManifestState _state;
    private readonly OnnxTensor _frames;
    private readonly OnnxTensor _reference;

    public StreamAgreement(Manifest manifest, ManifestModel model)
    {
        _model = model;
        _state = model.State ?? throw new AccuracyException($"{model.Name} has no state: add it to the manifest.");
        _frames = RowReader.Read(manifest, model.Test.Input);
        _reference = RowReader.Read(manifest, model.Test.Input.Of(
            model.Test.Reference ?? throw new AccuracyException($"{model.Name} has no reference outputs: add them to the manifest.")));
        if (_reference.Length != _frames.Shape[0])
            throw new AccuracyException($"{model.Name} has {_frames.Shape[0]} frames and {_reference.Length} reference outputs: correct the manifest.");
    }

    public override string Description => FormattableString.Invariant($"Decisions equal to the float model's, in percent of {_reference.Length:N0} frames");

    public override string ManifestName => "decision_agreement";

    public override double Measure(ModelSession session)
    {
        var inputs = (_model.Constants ?? new Dictionary<string, long>()).ToDictionary(c => c.Key, c => OnnxTensor.Create([c.Value]));
        inputs[_state.In] = OnnxTensor.Create(new float[_state.Shape.Aggregate(1L, (a, b) => a * b)], _state.Shape);
        var equal = 0;
        foreach (var (first, frame) in Batches(_frames, 1))
        {
            inputs[_model.Input] = frame;
            var results = session.Run(inputs, _model.Output, _state.Out);
            inputs[_state.In] = results[1];
            if (results[0].Values<float>()[0] >= Threshold == _reference.Values<float>()[first] >= Threshold)
                equal++;
        }

        return (double)equal / _reference.Length;
    }
}
