namespace MLNetQuant.Grids;

/// <summary>How the scale of a group of weights follows from the weights.</summary>
public enum ScaleRule
{
    /// <summary>The smallest scale whose range Low·scale to High·scale holds every weight: nothing is clipped.</summary>
    AbsMax,

    /// <summary>Of 80 shrinks of the <see cref="AbsMax"/> scale, 1 − i/100 for i = 0 to 79, the one with the least
    /// squared rounding error on the weights. (The search of the GPTQ code, there with exponent 2.4.)</summary>
    Mse,
}
