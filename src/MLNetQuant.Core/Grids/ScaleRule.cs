namespace MLNetQuant.Grids;

/// <summary>How the scale of a group of weights follows from the weights.</summary>
public enum ScaleRule
{
    /// <summary>The smallest scale whose range Low·scale to High·scale holds every weight: nothing is clipped. With a
    /// zero point, (greatest − least weight, zero included) / (High − Low).</summary>
    AbsMax,

    /// <summary>Of 80 shrinks of the <see cref="AbsMax"/> scale, 1 − i/100 for i = 0 to 79 (99 shrinks for one bit), the
    /// one with the least Σ|rounded − weight|^p. (The search of the GPTQ code, there with p = 2.4.)</summary>
    Mse,

    /// <summary>As <see cref="Mse"/>, the error of each input weighted by its energy, the diagonal of H. Equal to it
    /// where the recipe is not given the energies.</summary>
    WeightedMse,

    /// <summary>The smallest scale whose range holds <see cref="GridRecipe.Percentile"/> percent of the weights.</summary>
    Percentile,
}
