using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.Tests.Oracles;

/// <summary>Grids with one step for all weights.</summary>
internal static class Uniform
{
    public static Grid Grid(int inputs, int outputs, float step, int low, int high)
    {
        var scales = new Matrix<float>(1, outputs);
        Array.Fill(scales.Data, step);
        return new(new Alphabet(low, high), Granularity.PerChannel, inputs, scales);
    }
}
