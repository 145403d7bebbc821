using MLNetQuant.Algorithms;
using MLNetQuant.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Tests.Oracles;

/// <summary>The rows themselves, in fp64: X, X̃ and W of one layer, and everything computed from them directly.</summary>
internal sealed record Data(double[,] X, double[,] Tilde, double[,] W)
{
    public int Rows => X.GetLength(0);

    public int Inputs => X.GetLength(1);

    public int Outputs => W.GetLength(1);

    public static double[] Column(double[,] matrix, int column) =>
        [.. Enumerable.Range(0, matrix.GetLength(0)).Select(i => matrix[i, column])];

    public Matrix<float> Weights() => Matrices.Float(W);

    /// <summary>Statistics by the definition, in fp64.</summary>
    public LayerStatistics Statistics()
    {
        var y = Matrices.Multiply(X, W);
        var h = Matrices.Wrap(Matrices.Multiply(Matrices.Transpose(Tilde), Tilde));
        var g = ReferenceEquals(X, Tilde) ? h : Matrices.Wrap(Matrices.Multiply(Matrices.Transpose(Tilde), X));
        return new(
            Rows,
            h,
            g,
            Matrices.Wrap(Matrices.Multiply(Matrices.Transpose(Tilde), y)),
            [.. Enumerable.Range(0, Inputs).Select(t => Column(Tilde, t).Average())],
            [.. Enumerable.Range(0, Outputs).Select(i => Column(y, i).Average())],
            [.. Enumerable.Range(0, Outputs).Select(i => Column(y, i).Sum(v => v * v))]);
    }

    /// <summary>The inputs in the order of a path.</summary>
    public int[] Order(InputOrder order) => order == InputOrder.Natural
        ? [.. Enumerable.Range(0, Inputs)]
        : [.. Enumerable.Range(0, Inputs).OrderBy(t => -Column(Tilde, t).Sum(v => v * v)).ThenBy(t => t)];

    /// <summary>λ for damping as a multiple of the mean of diag H.</summary>
    public double Lambda(double damping) =>
        damping * Enumerable.Range(0, Inputs).Average(t => Column(Tilde, t).Sum(v => v * v));

    /// <summary>‖XW − X̃Q‖², directly.</summary>
    public double SquaredError(double[,] q) =>
        Matrices.SquaredNorm(Matrices.Subtract(Matrices.Multiply(X, W), Matrices.Multiply(Tilde, q)));

    /// <summary>A random layer: integers, or Gaussian numbers; all exactly representable as floats.</summary>
    public static Data Random(Random random, int rows, int inputs, int outputs, double drift, int dead = 0)
    {
        var x = new double[rows, inputs];
        var tilde = new double[rows, inputs];
        for (var i = 0; i < rows; i++)
        {
            for (var t = 0; t < inputs; t++)
            {
                x[i, t] = (float)Gaussian(random);
                tilde[i, t] = (float)(x[i, t] + (drift * Gaussian(random)));
            }
        }

        for (var k = 0; k < dead; k++)
        {
            var t = random.Next(inputs);
            for (var i = 0; i < rows; i++)
            {
                tilde[i, t] = 0;
                if (drift == 0)
                    x[i, t] = 0;
            }
        }

        var w = new double[inputs, outputs];
        for (var t = 0; t < inputs; t++)
        {
            for (var i = 0; i < outputs; i++)
                w[t, i] = (float)((2 * random.NextDouble()) - 1);
        }

        return new(x, drift == 0 ? x : tilde, w);
    }

    public static double Gaussian(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
