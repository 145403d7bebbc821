using System.Text.RegularExpressions;
using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Onnx.Calibration;

namespace MLNetQuant;

/// <summary>What to quantize and how. Immutable: derive a variant with a <c>with</c> expression.</summary>
public sealed record QuantizationOptions
{
    /// <summary>The defaults: 8 bits, the best algorithm of each layer, one scale per output channel.</summary>
    public static QuantizationOptions Default { get; } = new();

    /// <summary>Bits per weight, 1 to 8. Default 8.</summary>
    public int Bits { get; init; } = 8;

    /// <summary>The algorithm that chooses the codes. Default <see cref="Best"/>.</summary>
    public IWeightQuantizer Algorithm { get; init; } = new Best();

    /// <summary>Which weights share a scale. Default one scale per output channel.</summary>
    public Granularity Granularity { get; init; } = Granularity.PerChannel;

    /// <summary>How a scale is chosen. Default <see cref="ScaleRule.Mse"/>.</summary>
    public ScaleRule ScaleRule { get; init; } = ScaleRule.Mse;

    /// <summary>Percent of the weights that <see cref="ScaleRule.Percentile"/> does not clip, above 0, up to 100. Default 99.9.</summary>
    public double Percentile { get; init; } = 99.9;

    /// <summary>Whether grids have zero points, and how they are chosen. Default <see cref="ZeroPointRule.Automatic"/>:
    /// <see cref="Best"/> decides, other algorithms get symmetric grids.</summary>
    public ZeroPointRule ZeroPoint { get; init; } = ZeroPointRule.Automatic;

    /// <summary>
    /// Whether grids have the 2^b + 1 levels, −2^(b−1) to 2^(b−1), that the code beside the GPFQ and SPFQ papers counts as
    /// b bits, 1 to 7. One more than b bits hold: for comparison with published figures only. Default no.
    /// </summary>
    public bool PaperLevels { get; init; }

    /// <summary>How the codes are written into the file. Default <see cref="WeightFormat.Auto"/>.</summary>
    public WeightFormat Format { get; init; } = WeightFormat.Auto;

    /// <summary>
    /// When <see cref="WeightFormat.Integer"/> chooses the scale of activations that it may choose in every run. Default
    /// <see cref="ActivationScales.Static"/>.
    /// </summary>
    public ActivationScales Activations { get; init; } = ActivationScales.Static;

    /// <summary>How the range of static activations is chosen. Default <see cref="ActivationRange.Mse"/>.</summary>
    public ActivationRange ActivationRange { get; init; } = ActivationRange.Mse;

    /// <summary>
    /// Percent of the values other than zero that <see cref="ActivationRange.Percentile"/> keeps at either end, above 50, up to
    /// 100. Default 99.99.
    /// </summary>
    public double ActivationPercentile { get; init; } = 99.99;

    /// <summary>
    /// Whether layers of integers have weights of seven bits at most, which no processor can make overflow. Default
    /// <see cref="ReducedRange.Auto"/>.
    /// </summary>
    public ReducedRange ReduceRange { get; init; } = ReducedRange.Auto;

    /// <summary>
    /// What <see cref="WeightFormat.Auto"/> looks for. Default <see cref="FormatTarget.Size"/>, which times nothing: the same
    /// rows, options and seed give the same bytes, and a row's result never depends on the rows beside it.
    /// </summary>
    public FormatTarget Target { get; init; } = FormatTarget.Size;

    /// <summary>
    /// Rows per run at which files are timed for the targets balanced and speed, each at least 1; a model with a fixed batch
    /// keeps its own. Where there are fewer calibration rows, all of them. Default 1 and 64.
    /// </summary>
    public IReadOnlyList<int> TimedBatchSizes { get; init; } = [1, 64];

    /// <summary>Whether the quantized model is saved with a data file of its large tensors. Default <see cref="ExternalData.Auto"/>.</summary>
    public ExternalData ExternalData { get; init; } = ExternalData.Auto;

    /// <summary>
    /// Whether values between nodes get names of a few letters, nodes other than quantized layers none, and equal Constant nodes
    /// become one: text that only people read, up to a twentieth of a small quantized file. Inputs and outputs of the model keep
    /// their names. Default false.
    /// </summary>
    public bool ShortNames { get; init; }

    /// <summary>
    /// Whether each layer's bias takes up the mean error of its outputs, where it can take a correction. Default true: codes
    /// are then chosen by what is left. In front of a Relu or Clip each neuron takes what leaves the least error after it
    /// (<see cref="BiasGuard"/>), for matching means before a sparse ReLU can cost far more accuracy than it brings.
    /// A layer without a bias gets an Add for it at up to six bits; above, the mean error is too small to pay for a node.
    /// </summary>
    public bool BiasCorrection { get; init; } = true;

    /// <summary>Seed of every random choice, 0 or more. The same input and seed give the same bytes. Default 0.</summary>
    public int Seed { get; init; }

    /// <summary>Calibration rows to use, from the first on; <see langword="null"/> takes all. At least 1.</summary>
    public int? Rows { get; init; }

    /// <summary>Calibration rows per run of the model, at least 1. A model with a fixed batch keeps its own. Default 32.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>
    /// Rows of each layer's matrix problem to use, at least 1. A convolution has one row for each output position,
    /// so that calibration rows bring far more; they are then sampled without replacement. Default 12,288.
    /// </summary>
    public int RowsPerLayer { get; init; } = 12_288;

    /// <summary>Threads to use, 0 for all processors. The result does not depend on it. Default 0.</summary>
    public int Threads { get; init; }

    /// <summary>
    /// Bytes that the values between layers may take in memory, 0 or more; the largest of those beyond it wait in temporary
    /// files, which are gone when the run ends, however it ends. The model, the calibration data and the statistics of the
    /// layer at hand come on top. <see langword="null"/>, the default, takes half of the memory that is free when the run
    /// starts. Codes do not depend on it, but for layers of more than 4,096 inputs whose statistics, 16 bytes for each pair of
    /// inputs, are larger than a budget that is given: <see cref="Best"/>, GPFQ, SPFQ of one pass and MSQ then work on as many
    /// rows as fit, and the report has a warning. Files of a model above 256 MB are not timed against each other where six times its
    /// size is more than this: the first format that <see cref="Format"/> allows is taken. With a budget given, garbage is
    /// collected before it grows beyond a sixteenth of it (64 to 128 MB), which briefly stops every thread of the process, so a
    /// program of its own does well to give one (<see cref="HalfOfFreeMemory"/>) and a busy server may not want to.
    /// </summary>
    public long? MemoryBudget { get; init; }

    /// <summary>Half of the bytes that are free now, as far as the machine or the container says: the budget of a run that has none.</summary>
    public static long HalfOfFreeMemory => FreeMemory.Bytes() / 2;

    /// <summary>Regular expressions; when there are any, only layers whose name matches one are quantized.</summary>
    public IReadOnlyList<string> Include { get; init; } = [];

    /// <summary>Regular expressions; a layer whose name matches one keeps its float weights.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>
    /// A layer with a larger relative error keeps its float weights, above 0; <see langword="null"/>, the default, for no limit.
    /// The error is that on the rows held back, or on all rows where none are held back
    /// (<see cref="LayerReport.HeldBackError"/>, <see cref="LayerReport.RelativeError"/>).
    /// </summary>
    /// <remarks>None by default: what an error costs depends on the model, and a file of another size than the bits promise
    /// should be somebody's choice. Errors above 0.5 are warnings in any case.</remarks>
    public double? MaxLayerError { get; init; }

    /// <summary>Receives progress, from the thread that quantizes.</summary>
    public IProgress<QuantizationProgress>? Progress { get; init; }

    /// <summary>Stops the run; nothing is left half-written.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>Refuses options out of range.</summary>
    /// <exception cref="QuantizationException">An option is out of range; the message says which and what it takes.</exception>
    public void Validate()
    {
        Require(Bits is >= 1 and <= 8, "Bits", Bits, "from 1 to 8");
        if (PaperLevels && Bits == 8)
            throw new QuantizationException("Bits is 8, and the papers' 2^b + 1 levels of 8 bits do not fit a byte: give 1 to 7 bits, or leave the paper levels out.");
        Require(Seed >= 0, "Seed", Seed, "of 0 or more");
        Require(Rows is null or >= 1, "Rows", Rows, "of 1 or more, or none for all rows");
        Require(BatchSize >= 1, "BatchSize", BatchSize, "of 1 or more");
        Require(RowsPerLayer >= 1, "RowsPerLayer", RowsPerLayer, "of 1 or more");
        Require(Threads >= 0, "Threads", Threads, "of 0 (all processors) or more");
        if (MemoryBudget < 0)
            throw new QuantizationException($"MemoryBudget is {MemoryBudget}: give a number of bytes of 0 or more, or none for half of the free memory.");
        if (!(Percentile > 0 && Percentile <= 100))
            throw new QuantizationException(FormattableString.Invariant($"Percentile is {Percentile}: give a number above 0 and at most 100."));
        if (!(ActivationPercentile > 50 && ActivationPercentile <= 100))
            throw new QuantizationException(FormattableString.Invariant($"ActivationPercentile is {ActivationPercentile}: give a number above 50 and at most 100."));
        if (!Enum.IsDefined(Activations))
            throw new QuantizationException($"There is no choice {(int)Activations} of activation scales: use Static or Dynamic.");
        if (!Enum.IsDefined(ActivationRange))
            throw new QuantizationException($"There is no activation range {(int)ActivationRange}: use MinMax, Percentile or Mse.");
        if (!Enum.IsDefined(ReduceRange))
            throw new QuantizationException($"There is no choice {(int)ReduceRange} of a reduced range: use Auto, Always or Never.");
        if (MaxLayerError is { } limit && !(limit > 0))
            throw new QuantizationException(FormattableString.Invariant($"MaxLayerError is {limit}: give a number above 0, or none for no limit."));
        if (!Enum.IsDefined(ScaleRule))
            throw new QuantizationException($"There is no scale rule {(int)ScaleRule}: use AbsMax, Mse, WeightedMse or Percentile.");
        if (!Enum.IsDefined(ZeroPoint))
            throw new QuantizationException($"There is no zero point rule {(int)ZeroPoint}: use None, Range, HalfQuadratic, LeastError or Automatic.");
        if (!Enum.IsDefined(ExternalData))
            throw new QuantizationException($"There is no choice {(int)ExternalData} of external data: use Auto, Always or Never.");
        if (!Enum.IsDefined(Target))
            throw new QuantizationException($"There is no target {(int)Target}: use Size, Balanced or Speed.");
        if (TimedBatchSizes.Count == 0)
            throw new QuantizationException("TimedBatchSizes is empty: give at least one batch size, such as 1.");
        foreach (var size in TimedBatchSizes)
            Require(size >= 1, "A batch size of TimedBatchSizes", size, "of 1 or more");
        foreach (var pattern in Include.Concat(Exclude))
            CheckPattern(pattern);
    }

    /// <summary>The codes of every grid.</summary>
    internal Alphabet Alphabet => PaperLevels ? Alphabet.OfPaper(Bits) : Alphabet.OfBits(Bits);

    private static void Require(bool holds, string option, object? value, string range)
    {
        if (!holds)
            throw new QuantizationException($"{option} is {value}: give a whole number {range}.");
    }

    private static void CheckPattern(string pattern)
    {
        try
        {
            _ = new Regex(pattern, RegexOptions.CultureInvariant);
        }
        catch (ArgumentException e)
        {
            throw new QuantizationException(
                $"The layer pattern '{pattern}' is not a regular expression: {e.Message}", e);
        }
    }
}
