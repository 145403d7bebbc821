using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.Tests.Oracles;

/// <summary>Rounds to nearest and keeps the arguments V.</summary>
internal readonly struct RecordingRounding(NearestRounding rounding, Matrix<double> v) : IRoundingRule
{
    public int Round(int input, int firstOutput, Span<double> lanes)
    {
        lanes.CopyTo(v.Row(input)[firstOutput..]);
        return rounding.Round(input, firstOutput, lanes);
    }

    /// <summary>Arguments and codes of the kernel on given P and S.</summary>
    public static (double[,] V, Matrix<sbyte> Codes) Follow(PathProblem path, Grid grid) =>
        Follow(path.P, path.S, path.Feedback, grid, path.Order);

    /// <summary>Arguments and codes of the kernel on given P and S.</summary>
    public static (double[,] V, Matrix<sbyte> Codes) Follow(
        Matrix<double> p, PackedRows? s, Feedback feedback, Grid grid, int[]? order = null)
    {
        var v = new Matrix<double>(grid.Inputs, grid.Outputs);
        var codes = new Matrix<sbyte>(grid.Inputs, grid.Outputs);
        PathKernel.Run(p, s, new RecordingRounding(new(grid, codes), v), feedback, new(Threads: 1), order);
        return (Matrices.Unwrap(v), codes);
    }
}
