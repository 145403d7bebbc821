namespace MLNetQuant.Onnx;

/// <summary>A linear model of ML.NET's own: binary, calibrated, regression, Poisson, multiclass, maximum entropy, or one versus all.</summary>
public sealed class SavedLinearModel
{
    internal SavedLinearModel(string typeName, string featureColumn, IReadOnlyList<LinearOutput> outputs)
    {
        (TypeName, FeatureColumn, Outputs) = (typeName, featureColumn, outputs);
    }

    /// <summary>What ML.NET calls the model.</summary>
    public string TypeName { get; }

    /// <summary>The column of float vectors that it reads.</summary>
    public string FeatureColumn { get; }

    /// <summary>Length of those vectors.</summary>
    public int FeatureCount => Outputs[0].FeatureCount;

    /// <summary>One output, or one for each class.</summary>
    public IReadOnlyList<LinearOutput> Outputs { get; }

    /// <summary>
    /// Numbers that one row takes while the weights are chosen: its features; once more those of all outputs that weigh every
    /// feature; and for each other output those that it weighs.
    /// </summary>
    internal long NumbersPerRow => FeatureCount
        + (Outputs.Any(o => o.Features is null) ? FeatureCount : 0L)
        + Outputs.Sum(o => (long)(o.Features?.Count ?? 0));

    /// <summary>Whether statistics of its weights, such as standard errors, are saved with it.</summary>
    internal bool KeepsStatistics { get; init; }

    internal SavedLinearModel With(IReadOnlyList<LinearOutput> outputs) => new(TypeName, FeatureColumn, outputs) { KeepsStatistics = KeepsStatistics };
}

/// <summary>One output of a linear model: its bias and a weight for each feature that has one.</summary>
public sealed record LinearOutput
{
    internal LinearOutput()
    {
    }

    /// <summary>Length of the feature vectors.</summary>
    public required int FeatureCount { get; init; }

    /// <summary>What is added to the products.</summary>
    public required float Bias { get; init; }

    /// <summary>The weights.</summary>
    public required IReadOnlyList<float> Weights { get; init; }

    /// <summary>The feature of each weight, ascending; <see langword="null"/> where every feature has one.</summary>
    public IReadOnlyList<int>? Features { get; init; }

    /// <summary>The entry of the zip that holds it.</summary>
    internal string Entry { get; init; } = "";

    /// <summary>Where the bias stands in the entry.</summary>
    internal int BiasAt { get; init; }

    /// <summary>Where the first weight stands in the entry.</summary>
    internal int WeightsAt { get; init; }
}
