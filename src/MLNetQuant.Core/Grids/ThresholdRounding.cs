namespace MLNetQuant.Grids;

/// <summary>Sets small arguments to zero, then rounds by another rule: to whole steps after the soft threshold, to ±λ, ±(λ + δ),
/// … after the hard one, whose grid has the threshold as well (<see cref="Grid.WithThreshold"/>).</summary>
/// <param name="soft">Whether the others move towards zero by the threshold, or stay.</param>
/// <param name="threshold">λ, in the units of the weights.</param>
/// <param name="rounding">The rule for what remains.</param>
internal readonly struct ThresholdRounding<TRounding>(bool soft, double threshold, TRounding rounding) : IRoundingRule
    where TRounding : struct, IRoundingRule
{
    public int Round(int input, int firstOutput, Span<double> lanes)
    {
        foreach (ref var v in lanes)
        {
            var size = Math.Abs(v);
            if (size <= threshold)
                v = 0;
            else if (soft)
                v = Math.CopySign(size - threshold, v);
        }

        return rounding.Round(input, firstOutput, lanes);
    }
}
