namespace MLNetQuant.Grids;

/// <summary>Any rule, with Σ weight_t (argument − value)² of each output taken on the way.</summary>
/// <param name="rule">The rule that rounds.</param>
/// <param name="weights">The weight of each input.</param>
/// <param name="sums">Receives the sums, one for each output; zeros on entry.</param>
internal readonly struct MeasuringRounding<TRounding>(TRounding rule, double[] weights, double[] sums) : IRoundingRule
    where TRounding : struct, IRoundingRule
{
    private readonly TRounding _rule = rule;

    public int Round(int input, int firstOutput, Span<double> lanes)
    {
        const int Batch = 64;
        Span<double> arguments = stackalloc double[Batch];
        var clipped = 0;
        for (var first = 0; first < lanes.Length; first += Batch)
        {
            var batch = lanes.Slice(first, Math.Min(Batch, lanes.Length - first));
            batch.CopyTo(arguments);
            clipped += _rule.Round(input, firstOutput + first, batch);
            var sum = sums.AsSpan(firstOutput + first, batch.Length);
            for (var i = 0; i < batch.Length; i++)
            {
                var error = arguments[i] - batch[i];
                sum[i] += weights[input] * error * error;
            }
        }

        return clipped;
    }
}
