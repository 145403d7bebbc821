namespace ScoreSavedModel;

/// <summary>The output of an ONNX model, or of a model of several classes.</summary>
internal sealed class VectorScore
{
    public float[] Score { get; set; } = [];
}

/// <summary>The output of a model of one value.</summary>
internal sealed class SingleScore
{
    public float Score { get; set; }
}
