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

    /// <summary>
    /// Scale and zero point together: for each zero point the scale that the scale rule finds, and of these pairs the one
    /// with the least Σ|rounded − weight|^p. Up to 8 codes every code is tried as the zero point; of more codes, 0 and
    /// those within 2 of <see cref="Range"/>'s.
    /// </summary>
    LeastError,

    /// <summary>
    /// Left to the algorithm: <see cref="Algorithms.Best"/> tries <see cref="None"/> and <see cref="LeastError"/> where bits
    /// are few and keeps what helps; for every other algorithm, and for grids fitted alone, as <see cref="None"/>.
    /// </summary>
    Automatic,
}
