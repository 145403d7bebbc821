namespace MLNetQuant.Grids;

/// <summary>How the zero point of a group of weights, the code whose value is zero, follows from the weights.</summary>
public enum ZeroPointRule
{
    /// <summary>It is code 0: the grid is symmetric.</summary>
    None,

    /// <summary>The range of codes is laid over the range of the weights, zero included, and the code nearest to zero
    /// becomes the zero point. (The asymmetric grid of the GPTQ code.)</summary>
    Range,

    /// <summary>
    /// As <see cref="Range"/>, then moved by half-quadratic optimization of the rounding error in the 0.7-norm, which
    /// forgives outliers, and rounded to an integer; kept where that norm falls. (HQQ, Mobius Labs 2023, which does not
    /// round it.)
    /// </summary>
    HalfQuadratic,
}
