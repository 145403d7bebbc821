using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.Tests.Oracles;

/// <summary>Any rule, keeping the arguments V.</summary>
internal readonly struct Recording<TRounding>(TRounding rounding, Matrix<double> v) : IRoundingRule
    where TRounding : struct, IRoundingRule
{
    public int Round(int input, int firstOutput, Span<double> lanes)
    {
        lanes.CopyTo(v.Row(input)[firstOutput..]);
        return rounding.Round(input, firstOutput, lanes);
    }
}
