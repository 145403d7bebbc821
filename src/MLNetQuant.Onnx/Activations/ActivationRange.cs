namespace MLNetQuant;

/// <summary>How the range of activations is chosen that <see cref="WeightFormat.Integer"/> rounds to eight bits; what lies outside is clipped.</summary>
public enum ActivationRange
{
    /// <summary>From the smallest to the largest value on the calibration rows: clips nothing there, and a single outlier makes all steps coarse.</summary>
    MinMax,

    /// <summary>Leaves out the share of the values beyond <see cref="QuantizationOptions.ActivationPercentile"/>.</summary>
    Percentile,

    /// <summary>The range with the least mean squared error of the rounded values.</summary>
    Mse,
}
