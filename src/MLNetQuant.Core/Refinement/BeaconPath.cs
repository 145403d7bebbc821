using System.Runtime.Intrinsics;
using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.Refinement;

/// <summary>Beacon for a few outputs at a time, which share the reading of H.</summary>
internal sealed class BeaconPath
{
    /// <summary>Outputs of a panel.</summary>
    internal const int Neurons = 8;

    private const double LeastGain = 1e-12; // of the cosine; below it, rounding

    private readonly LayerProblem _problem;
    private readonly Grid _grid;
    private readonly int _first;
    private readonly sbyte[][] _codes; // by neuron
    private readonly double[][] _q;

    internal BeaconPath(LayerProblem problem, Grid grid, int first, int count)
    {
        (_problem, _grid, _first) = (problem, grid, first);
        _codes = [.. Enumerable.Range(0, count).Select(_ => new sbyte[grid.Inputs])];
        _q = [.. Enumerable.Range(0, count).Select(_ => new double[grid.Inputs])];
    }

    /// <summary>The greedy codes.</summary>
    /// <param name="prefix">tril(G)W: ⟨X̃_t, X_{≤t} w_{≤t}⟩.</param>
    /// <param name="transposed">Gᵀ; null where G is H.</param>
    internal void Begin(Matrix<double> prefix, Matrix<double>? transposed)
    {
        var h = _problem.Statistics.H;
        var (a, n) = (new double[_q.Length], new double[_q.Length]);
        for (var t = 0; t < _grid.Inputs; t++)
        {
            for (var i = 0; i < _q.Length; i++)
            {
                // The target grows by w_t X_t, then the codes by entry t.
                var eta = Dot(h.Row(t), _q[i], t);
                var weight = _problem.Weights[t, _first + i];
                a[i] += weight * (transposed is null ? eta : Dot(transposed.Row(t), _q[i], t));
                var line = new Line(a[i], prefix[t, _first + i], n[i], eta, h[t, t]);
                Choose(t, i, line, Nearest(t, i, weight / (double)_grid.Scale(t, _first + i)));
                a[i] = line.Numerator(_q[i][t]);
                n[i] = line.Denominator(_q[i][t]);
            }
        }
    }

    /// <summary>Sweeps until nothing changes; returns how many p* of the last one lay beyond the alphabet.</summary>
    internal long Sweep(int sweeps, CancellationToken cancellationToken)
    {
        var (h, c) = (_problem.Statistics.H, _problem.Statistics.C);
        var all = Products();
        var clipped = 0L;
        for (var i = 0; i < _q.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (q, products) = (_q[i], all[i]);
            var (a, n) = Parts(i, products);
            var beyond = 0;
            var changed = true;
            for (var sweep = 0; sweep < sweeps && changed; sweep++)
            {
                (changed, beyond) = (false, 0);
                for (var t = 0; t < q.Length; t++)
                {
                    var (old, b, norm) = (q[t], c[t, _first + i], h[t, t]);
                    var line = new Line(
                        a - (b * old), b, n - (2 * products[t] * old) + (norm * old * old), products[t] - (norm * old), norm);
                    beyond += Choose(t, i, line, _codes[i][t]) ? 1 : 0;
                    if (q[t] == old)
                        continue;
                    changed = true;
                    a = line.Numerator(q[t]);
                    n = line.Denominator(q[t]);
                    Add(h.Row(t), q[t] - old, products);
                }
            }

            clipped += beyond;
        }

        return clipped;
    }

    /// <summary>Writes the codes, and the scales times c.</summary>
    internal void Store(Matrix<sbyte> codes, Matrix<float> scales)
    {
        var all = Products();
        for (var i = 0; i < _q.Length; i++)
        {
            var (a, n) = Parts(i, all[i]);

            // No direction to point in: zero where it is a value, on the recipe's scale.
            var pointless = !(a > 0) || !(n > 0) || !double.IsFinite(a / n);
            for (var t = 0; t < _grid.Inputs; t++)
                codes[t, _first + i] = pointless ? Nearest(t, i, 0) : _codes[i][t];
            for (var block = 0; block < scales.Rows && !pointless; block++)
                scales[block, _first + i] = (float)Math.Clamp(scales[block, _first + i] * (a / n), ScaleFit.SmallestScale, float.MaxValue);
        }
    }

    /// <summary>Sets entry t to the best code, the present one unless another gains; whether p* is beyond the ends.</summary>
    private bool Choose(int t, int i, Line line, sbyte present)
    {
        double scale = _grid.Scale(t, _first + i);
        var zeroPoint = _grid.ZeroPoint(t, _first + i);
        var alphabet = _grid.Alphabet;
        var (best, cosine) = (present, line.Cosine((present - zeroPoint) * scale));
        var stationary = line.Stationary();
        var beyond = false;
        if (double.IsFinite(stationary))
        {
            var code = (stationary / scale) + zeroPoint;
            var steps = Math.Floor((code - alphabet.Low) / alphabet.Stride);
            Try((steps * alphabet.Stride) + alphabet.Low);
            Try(((steps + 1) * alphabet.Stride) + alphabet.Low);
            beyond = (code > alphabet.High + (alphabet.Stride / 2.0) || code < alphabet.Low - (alphabet.Stride / 2.0))
                && line.Cosine(stationary) > cosine;
        }

        Try(alphabet.Low);
        Try(alphabet.High);
        _codes[i][t] = best;
        _q[i][t] = (best - zeroPoint) * scale;
        return beyond;

        void Try(double code)
        {
            var candidate = (sbyte)Math.Clamp(code, alphabet.Low, alphabet.High);
            var value = line.Cosine((candidate - zeroPoint) * scale);
            if (value > cosine + (LeastGain * Math.Abs(cosine)))
                (best, cosine) = (candidate, value);
        }
    }

    private sbyte Nearest(int t, int i, double steps)
    {
        var alphabet = _grid.Alphabet;
        var index = Math.Floor(((steps + _grid.ZeroPoint(t, _first + i) - alphabet.Low) / alphabet.Stride) + 0.5);
        return (sbyte)Math.Clamp((index * alphabet.Stride) + alphabet.Low, alphabet.Low, alphabet.High);
    }

    /// <summary>Hq of every neuron.</summary>
    private double[][] Products()
    {
        var products = new double[_q.Length][];
        for (var i = 0; i < products.Length; i++)
            products[i] = new double[_grid.Inputs];
        for (var t = 0; t < _grid.Inputs; t++)
        {
            var row = _problem.Statistics.H.Row(t);
            for (var i = 0; i < products.Length; i++)
                products[i][t] = Dot(row, _q[i], row.Length);
        }

        return products;
    }

    /// <summary>a = bᵀq and n = qᵀHq.</summary>
    private (double A, double N) Parts(int i, double[] products)
    {
        double a = 0, n = 0;
        for (var t = 0; t < products.Length; t++)
        {
            a += _problem.Statistics.C[t, _first + i] * _q[i][t];
            n += products[t] * _q[i][t];
        }

        return (a, n);
    }

    /// <summary>The sum of the first products, in an order that is the same on every machine.</summary>
    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b, int length)
    {
        const int Lanes = 4;
        Vector256<double> sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        var t = 0;
        for (; t <= length - (4 * Lanes); t += 4 * Lanes)
        {
            sum0 += Vector256.Create(a[t..]) * Vector256.Create(b[t..]);
            sum1 += Vector256.Create(a[(t + Lanes)..]) * Vector256.Create(b[(t + Lanes)..]);
            sum2 += Vector256.Create(a[(t + (2 * Lanes))..]) * Vector256.Create(b[(t + (2 * Lanes))..]);
            sum3 += Vector256.Create(a[(t + (3 * Lanes))..]) * Vector256.Create(b[(t + (3 * Lanes))..]);
        }

        var total = Vector256.Sum(sum0 + sum1 + (sum2 + sum3));
        for (; t < length; t++)
            total += a[t] * b[t];
        return total;
    }

    private static void Add(ReadOnlySpan<double> source, double factor, Span<double> target)
    {
        var t = 0;
        for (; t <= target.Length - Vector256<double>.Count; t += Vector256<double>.Count)
            (Vector256.Create<double>(target[t..]) + (Vector256.Create<double>(source[t..]) * factor)).CopyTo(target[t..]);
        for (; t < target.Length; t++)
            target[t] += factor * source[t];
    }

    /// <summary>The cosine, times ‖Xw‖, as a function of one entry p: (α + βp)/√(ν + 2ηp + κp²).</summary>
    private readonly record struct Line(double Alpha, double Beta, double Nu, double Eta, double Kappa)
    {
        public double Numerator(double p) => Alpha + (Beta * p);

        public double Denominator(double p) => Math.Max(0, Nu + (((2 * Eta) + (Kappa * p)) * p));

        /// <summary>Where the derivative is zero; not finite where nothing depends on p.</summary>
        public double Stationary() => ((Beta * Nu) - (Alpha * Eta)) / ((Alpha * Kappa) - (Beta * Eta));

        /// <summary>Zero where the output is.</summary>
        public double Cosine(double p)
        {
            var square = Denominator(p);
            return square > LeastGain * (Nu + (Kappa * p * p)) ? Numerator(p) / Math.Sqrt(square) : 0;
        }
    }
}
