namespace MLNetQuant.Onnx;

/// <summary>One step of a saved model, at the bottom of nested chains.</summary>
public sealed record SavedStep
{
    internal SavedStep(string folder, string loaderSignature, string typeName)
    {
        (Folder, LoaderSignature, TypeName) = (folder, loaderSignature, typeName);
    }

    /// <summary>Where it stands in the zip, for example <c>TransformerChain/Transform_001</c>.</summary>
    public string Folder { get; }

    /// <summary>
    /// Which loader reads it, or, of a step that predicts, the model in it: <c>OnnxTransform</c>, <c>FastTreeBinaryExec</c>.
    /// </summary>
    public string LoaderSignature { get; }

    /// <summary>What ML.NET calls the step or its model, as far as it is known here, else the loader signature.</summary>
    public string TypeName { get; }

    /// <summary>What can be done with its weights.</summary>
    public required SavedStepKind Kind { get; init; }

    /// <summary>Why its weights are left alone, in one clause; <see langword="null"/> for other kinds than <see cref="SavedStepKind.Other"/>.</summary>
    public string? Reason { get; init; }
}

/// <summary>What can be done with the weights of a saved step.</summary>
public enum SavedStepKind
{
    /// <summary>It has nothing that was learned.</summary>
    WithoutParameters,

    /// <summary>It scores with an ONNX model.</summary>
    Onnx,

    /// <summary>It is a linear model of ML.NET's own.</summary>
    Linear,

    /// <summary>It was learned, and is left alone.</summary>
    Other,
}
