using MLNetQuant.Numerics;

namespace MLNetQuant.Grids;

/// <summary>Feeds the arguments back as they are: the kernel then solves a triangular system.</summary>
/// <param name="values">Receives the arguments, inputs × outputs.</param>
internal readonly struct NoRounding(Matrix<double> values) : IRoundingRule
{
    public int Round(int input, int firstOutput, Span<double> lanes)
    {
        lanes.CopyTo(values.Row(input)[firstOutput..]);
        return 0;
    }
}
