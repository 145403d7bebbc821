using MLNetQuant.Algorithms;
using MLNetQuant.Certificates;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Statistics;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>Quantizes one group of a layer and chooses the change of its bias.</summary>
/// <param name="algorithm">What chooses the codes.</param>
/// <param name="weights">W of the group.</param>
/// <param name="split">Statistics of the group.</param>
/// <param name="recipe">The grid.</param>
/// <param name="context">Threads, random numbers.</param>
/// <param name="failureProbability">Of the group's certificate.</param>
internal sealed class GroupQuantizer(
    IWeightQuantizer algorithm,
    Matrix<float> weights,
    SplitStatistics split,
    GridRecipe recipe,
    QuantizationContext context,
    double failureProbability)
{
    /// <summary>Below so many rows the codes are not chosen on centred statistics: most inputs may look constant then.</summary>
    public const int FewRows = 100;

    /// <summary>The group without a change of its bias.</summary>
    public GroupResult Quantize() => Run(split, shift: null);

    /// <summary>
    /// The group where nothing clips its outputs before they are used: the bias takes up the whole mean error, which is the
    /// least-squares choice, and codes are chosen by what is left, on centred statistics.
    /// </summary>
    /// <param name="leastShare">A bias that takes up a smaller share of the squared error is left alone.</param>
    public GroupResult QuantizeWithBias(double leastShare) => Run(Centred ?? split, BiasCorrection.Shift, leastShare);

    /// <summary>
    /// The group in front of an activation that clips: each neuron's bias takes up what leaves the least error after the
    /// activation (<see cref="BiasGuard"/>). Codes chosen on centred statistics rely on that bias: where the guard refuses it to
    /// most neurons, those chosen on the statistics as they are compete, and win if they leave less error after the activation.
    /// </summary>
    /// <param name="sample">Some of the rows, which choose.</param>
    /// <param name="product">The engine for their outputs.</param>
    /// <param name="low">The activation's lower end of each output, seen from XW.</param>
    /// <param name="high">Its upper end.</param>
    public GroupResult QuantizeGuarded(RowSample sample, IMatrixProduct product, double[] low, double[] high)
    {
        var expected = Outputs(sample.Float, weights);
        if (Centred is not { } centred)
            return Guarded(split).Result;
        var (relying, guarded) = Guarded(centred);
        var refused = guarded.Choices.Count(c => c is not (BiasChoice.Full or BiasChoice.ActiveMean));
        if (2 * refused <= guarded.Choices.Length)
            return relying;
        var (asTheyAre, guardedToo) = Guarded(split);
        return guarded.Error <= guardedToo.Error ? relying : asTheyAre;

        (GroupResult Result, GuardedShift Shift) Guarded(SplitStatistics statistics)
        {
            GuardedShift? guarded = null;
            var result = Run(statistics, (all, quantized) =>
            {
                guarded = BiasGuard.Choose(
                    expected, Outputs(sample.Quantized, quantized), BiasCorrection.Shift(all, quantized), low, high);
                return guarded.Shift;
            });
            return (result, guarded!);
        }

        Matrix<float> Outputs(float[] rows, Matrix<float> w)
        {
            var outputs = new Matrix<float>(rows.Length / w.Rows, w.Columns);
            product.Multiply(rows, w.Data, outputs.Rows, w.Rows, w.Columns, outputs.Data);
            return outputs;
        }
    }

    private SplitStatistics? Centred { get; } = split.All.Count >= FewRows ? split.Centred() : null;

    private GroupResult Run(
        SplitStatistics statistics, Func<LayerStatistics, Matrix<float>, double[]>? shift, double leastShare = 0)
    {
        var problem = new LayerProblem(weights, statistics.Fitted) { HeldBack = statistics.HeldBack };
        var quantized = algorithm.Quantize(problem, recipe, context);
        var values = quantized.Dequantize();
        var certificate = (algorithm as ICertifiedQuantizer)?.Certify(problem, recipe, quantized, context, failureProbability);
        var (error, energy) = (MeasuredError.Relative(statistics.All, values, context.Threads), statistics.All.OutputEnergy.Sum());
        var whole = split.All.OutputEnergy.Sum();
        if (shift is null)
            return new(quantized, null, error * error * energy, whole, certificate) { HeldBack = OfHeldBackRows(0) };

        // The error of an output with bias d, its error without being e with mean f over m rows: Σ(e − d)² = Σe² + m(d² − 2df),
        // or m(d − f)² more than the centred one.
        var isCentred = !ReferenceEquals(statistics, split);
        var full = BiasCorrection.Shift(split.All, values);
        double[]? taken = shift(split.All, values);
        if (split.All.Count * full.Sum(f => f * f) < leastShare * error * error * energy)
            taken = null;
        var more = 0.0;
        for (var i = 0; i < full.Length; i++)
        {
            var d = taken?[i] ?? 0;
            more += (d * (d - (2 * full[i]))) + (isCentred ? full[i] * full[i] : 0);
        }

        more *= split.All.Count;
        return new(
            quantized,
            taken,
            Math.Max(0, (error * error * energy) + more),
            whole,
            certificate is null ? null : WithBias(certificate, energy, more, whole, isCentred))
        {
            HeldBack = OfHeldBackRows(more),
        };

        // What a bias adds to the error of all rows, the rows held back take their part of.
        HeldBackError? OfHeldBackRows(double more)
        {
            if (quantized.HeldBackError is not { } judged || statistics.HeldBack is not { } rows)
                return null;
            var part = more * rows.Count / statistics.All.Count;
            return new(Math.Max(0, (judged * judged * rows.OutputEnergy.Sum()) + part), split.HeldBack!.OutputEnergy.Sum());
        }
    }

    /// <summary>The certificate of the layer together with its bias, relative to the energy of XW.</summary>
    private static Certificate WithBias(Certificate certificate, double energy, double more, double whole, bool isCentred)
    {
        if (energy == 0 || whole == 0)
            return certificate;
        return certificate with
        {
            Bound = Moved(certificate.Bound),
            Measured = Moved(certificate.Measured),
            Reason = isCentred ? $"{certificate.Reason} The bias takes up the mean error, so that rows count less their means." : certificate.Reason,
        };

        double Moved(double relative) => Math.Sqrt(Math.Max(0, (relative * relative * energy) + more) / whole);
    }
}

/// <summary>A quantized group with its figures.</summary>
/// <param name="Weights">Codes on their grid.</param>
/// <param name="Shift">What the bias takes up, added to XW; null for nothing.</param>
/// <param name="SquaredError">‖XW − X̃Q‖², or with the shift.</param>
/// <param name="OutputEnergy">‖XW‖².</param>
/// <param name="Certificate">What the algorithm promises; null where it promises nothing.</param>
internal sealed record GroupResult(
    QuantizedWeights Weights, double[]? Shift, double SquaredError, double OutputEnergy, Certificate? Certificate)
{
    /// <summary>The error on the rows held back, of codes that were chosen without them; null where none were.</summary>
    public HeldBackError? HeldBack { get; init; }

    /// <summary>What each input was divided by, and each row of W multiplied by; null for nothing.</summary>
    public float[]? Factors { get; init; }

    /// <summary>The relative error to judge by: on the rows held back where there are some.</summary>
    public double Judged => HeldBack?.Relative ?? Ratio(SquaredError, OutputEnergy);

    /// <summary>A relative error of squares; where the energy is zero, 0 for no error and 1 for any.</summary>
    public static double Ratio(double squaredError, double energy) =>
        energy == 0 ? squaredError > 0 ? 1 : 0 : Math.Sqrt(squaredError / energy);
}

/// <summary>The error of a group on the rows held back.</summary>
/// <param name="SquaredError">‖XW − X̃Q‖², bias included.</param>
/// <param name="OutputEnergy">‖XW‖².</param>
internal sealed record HeldBackError(double SquaredError, double OutputEnergy)
{
    /// <summary>Their relative size.</summary>
    public double Relative => GroupResult.Ratio(SquaredError, OutputEnergy);
}

/// <summary>Some rows of one group.</summary>
/// <param name="Float">Rows of X.</param>
/// <param name="Quantized">The same rows of X̃.</param>
internal sealed record RowSample(float[] Float, float[] Quantized)
{
    private const int Rows = 2048;

    /// <summary>At most 2,048 of the chosen rows, evenly spread, for each group.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="inputs">Its input in both streams.</param>
    /// <param name="sampler">The rows that its statistics are made of.</param>
    public static RowSample[] Read(ILayer layer, LayerInputs inputs, RowSampler sampler)
    {
        var width = layer.Layout.Inputs;
        var stride = (sampler.Count + Rows - 1) / Rows;
        var count = (sampler.Count + stride - 1) / stride;
        var samples = new RowSample[layer.Layout.Groups];
        for (var group = 0; group < samples.Length; group++)
        {
            var x = new float[count * width];
            samples[group] = new(x, inputs.AreEqual ? x : new float[x.Length]);
        }

        var (seen, filled) = (0, 0);
        for (var batch = 0; batch < inputs.Float.Count; batch++)
        {
            var rows = sampler.Choose(batch);
            var first = (stride - (seen % stride)) % stride;
            seen += rows.Length;
            int[] taken = [.. rows.Skip(first).Where((_, i) => i % stride == 0)];
            if (taken.Length == 0)
                continue;
            var (x, quantized, _) = inputs.Read(batch);
            for (var group = 0; group < samples.Length; group++)
            {
                layer.Unfold(x, taken, group, samples[group].Float.AsSpan(filled * width));
                if (!inputs.AreEqual)
                    layer.Unfold(quantized, taken, group, samples[group].Quantized.AsSpan(filled * width));
            }

            filled += taken.Length;
        }

        return samples;
    }
}
