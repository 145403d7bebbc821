namespace MLNetQuant.Numerics;

/// <summary>
/// Adam with its usual decay rates of 0.9 and 0.999. Kingma and Ba, arXiv 1412.6980, algorithm 1.
/// </summary>
/// <param name="variables">How many there are.</param>
/// <param name="rate">α.</param>
/// <param name="epsilon">ε: gradients far below it move nothing.</param>
internal sealed class Adam(int variables, double rate, double epsilon)
{
    private const double FirstDecay = 0.9;
    private const double SecondDecay = 0.999;
    private const int Piece = 1 << 14;

    private readonly double[] _first = new double[variables];
    private readonly double[] _second = new double[variables];
    private int _steps;

    /// <summary>One step against the gradient; the result does not depend on the number of threads.</summary>
    internal void Step(double[] values, double[] gradient, int threads)
    {
        _steps++;
        var firstBias = 1 - Math.Pow(FirstDecay, _steps);
        var secondBias = 1 - Math.Pow(SecondDecay, _steps);
        Workers.For((values.Length + Piece - 1) / Piece, threads, piece =>
        {
            for (var k = piece * Piece; k < Math.Min(values.Length, (piece + 1) * Piece); k++)
            {
                _first[k] = (FirstDecay * _first[k]) + ((1 - FirstDecay) * gradient[k]);
                _second[k] = (SecondDecay * _second[k]) + ((1 - SecondDecay) * gradient[k] * gradient[k]);
                values[k] -= rate * (_first[k] / firstBias) / (Math.Sqrt(_second[k] / secondBias) + epsilon);
            }
        });
    }
}
