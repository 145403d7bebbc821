namespace Microsoft.ML.Transforms.Onnx;

/// <summary>What an ONNX step is made with, besides the model.</summary>
/// <param name="Inputs">Columns that feed the inputs of the same names; none for all inputs.</param>
/// <param name="Outputs">Outputs to compute; none for all.</param>
/// <param name="Shapes">Shapes that replace those of the model.</param>
/// <param name="RecursionLimit">How deep the model file's messages may be nested.</param>
/// <param name="InterOpNumThreads">Threads across nodes; not saved.</param>
/// <param name="IntraOpNumThreads">Threads within nodes; not saved.</param>
internal sealed record OnnxModelSettings(
    string[] Inputs,
    string[] Outputs,
    IDictionary<string, int[]> Shapes,
    int RecursionLimit,
    int? InterOpNumThreads = null,
    int? IntraOpNumThreads = null);
