using Microsoft.ML.OnnxRuntime.Tensors;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>Runs two models on the same batches and measures how far their outputs are apart.</summary>
internal static class OutputComparison
{
    /// <summary>Compares the outputs that both models have, float tensors only.</summary>
    /// <returns>The error of each output, and whether the second model's outputs are all finite.</returns>
    public static (IReadOnlyList<OutputError> Errors, bool Finite) Measure(
        OnnxModel reference,
        OnnxModel other,
        IReadOnlyList<IReadOnlyDictionary<string, OnnxTensor>> batches,
        int threads,
        CancellationToken cancellationToken)
    {
        var bytes = Math.Max(reference.SizeInBytes, other.SizeInBytes);
        var shared = other.Outputs.Select(o => o.Name).ToHashSet();
        var (a, outputs) = Run(reference, s => [.. s.FloatOutputs.Where(shared.Contains)]);
        if (outputs.Length == 0)
            return ([], true);
        var (b, _) = Run(other, _ => outputs);
        var errors = new List<OutputError>();
        var finite = true;
        foreach (var output in outputs)
        {
            var sum = new Difference();
            for (var batch = 0; batch < a.Length; batch++)
                sum.Add(output, a[batch][output], b[batch][output]);
            finite &= sum.Finite;
            errors.Add(sum.ToError(output));
        }

        return (errors, finite);

        // One model after the other: two of a few gigabytes need not be open together.
        (Dictionary<string, OnnxTensor>[] Results, string[] Outputs) Run(OnnxModel model, Func<OnnxSession, string[]> choose)
        {
            using var session = OnnxSession.Open(model, bytes);
            var chosen = choose(session);
            return (chosen.Length == 0 ? [] : session.RunAll(batches, chosen, threads, cancellationToken), chosen);
        }
    }

    /// <summary>The error of one output from its values.</summary>
    public static OutputError Measure(string name, OnnxTensor reference, OnnxTensor other)
    {
        var difference = new Difference();
        difference.Add(name, reference, other);
        return difference.ToError(name);
    }

    private sealed class Difference
    {
        private double _error;
        private double _energy;
        private double _largest;
        private long _agreeing;
        private long _rows;

        public bool Finite { get; private set; } = true;

        public void Add(string name, OnnxTensor a, OnnxTensor b)
        {
            var (first, second) = (a.ToFloats(), b.ToFloats());
            if (!a.Shape.SequenceEqual(b.Shape) || second.ElementType != TensorElementType.Float)
                throw new QuantizationException($"The output '{name}' is {a} in one model and {b} in the other: compare models of the same shape.");
            var x = first.Values<float>();
            var y = second.Values<float>();
            for (var i = 0; i < x.Length; i++)
            {
                // Where the reference itself has no number there is nothing to measure.
                if (!float.IsFinite(x[i]))
                    continue;
                var finite = float.IsFinite(y[i]);
                Finite &= finite;
                var difference = finite ? (double)x[i] - y[i] : double.PositiveInfinity;
                _error += difference * difference;
                _energy += (double)x[i] * x[i];
                _largest = Math.Max(_largest, Math.Abs(difference));
            }

            var width = a.Shape.Count == 0 ? 1 : (int)a.Shape[^1];
            if (width < 2)
                return;
            for (var at = 0; at < x.Length; at += width)
            {
                _rows++;
                if (ArgMax(x.Slice(at, width)) == ArgMax(y.Slice(at, width)))
                    _agreeing++;
            }
        }

        public OutputError ToError(string name) => new(
            name,
            _energy > 0 ? Math.Sqrt(_error / _energy) : _error > 0 ? 1 : 0,
            _largest,
            _rows == 0 ? null : (double)_agreeing / _rows);

        private static int ArgMax(ReadOnlySpan<float> values)
        {
            var best = 0;
            for (var i = 1; i < values.Length; i++)
            {
                if (values[i] > values[best])
                    best = i;
            }

            return best;
        }
    }
}
