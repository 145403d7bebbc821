namespace MLNetQuant.Tests.Oracles;

/// <summary>Layers whose inputs hang together, as those of networks do: few hidden causes, a mean, a little noise.</summary>
internal static class Correlated
{
    /// <summary>A random layer.</summary>
    /// <param name="random">Source of all numbers.</param>
    /// <param name="rows">Rows of X.</param>
    /// <param name="inputs">N.</param>
    /// <param name="outputs">M.</param>
    /// <param name="drift">Size of X̃ − X relative to the noise; zero for one stream.</param>
    /// <param name="mean">Mean of every input.</param>
    public static Data Layer(Random random, int rows, int inputs, int outputs, double drift = 0, double mean = 0)
    {
        var causes = Math.Max(1, inputs / 4);
        var mixing = new double[causes, inputs];
        foreach (var (k, t) in from k in Enumerable.Range(0, causes) from t in Enumerable.Range(0, inputs) select (k, t))
            mixing[k, t] = Data.Gaussian(random) / Math.Sqrt(causes);
        var (x, tilde, w) = (new double[rows, inputs], new double[rows, inputs], new double[inputs, outputs]);
        for (var i = 0; i < rows; i++)
        {
            var cause = Enumerable.Range(0, causes).Select(_ => 2 * Data.Gaussian(random)).ToArray();
            for (var t = 0; t < inputs; t++)
            {
                x[i, t] = (float)(mean + (0.5 * Data.Gaussian(random)) + Enumerable.Range(0, causes).Sum(k => cause[k] * mixing[k, t]));
                tilde[i, t] = (float)(x[i, t] + (drift * Data.Gaussian(random)));
            }
        }

        for (var t = 0; t < inputs; t++)
        {
            for (var i = 0; i < outputs; i++)
                w[t, i] = (float)(0.1 * Data.Gaussian(random));
        }

        return new(x, drift == 0 ? x : tilde, w);
    }

    /// <summary>‖Xw − X̃q‖² of each output, from the rows.</summary>
    public static double[] SquaredErrors(this Data data, double[,] q)
    {
        var error = Matrices.Subtract(Matrices.Multiply(data.X, data.W), Matrices.Multiply(data.Tilde, q));
        return [.. Enumerable.Range(0, data.Outputs).Select(i => Data.Column(error, i).Sum(v => v * v))];
    }
}
