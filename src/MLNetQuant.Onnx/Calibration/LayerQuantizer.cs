using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Onnx.Formats;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;
using MLNetQuant.Onnx.Numerics;
using MLNetQuant.Statistics;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>Turns one layer and its inputs into codes, group by group, and measures the error.</summary>
/// <param name="index">The graph.</param>
/// <param name="options">How.</param>
/// <param name="product">The engine for layers with many inputs.</param>
/// <param name="wide">Layers of which the rows alone are kept; null for none.</param>
/// <param name="layers">All layers in the order in which they come here, so that statistics are kept for those that share them;
/// null where none do.</param>
internal sealed class LayerQuantizer(
    GraphIndex index,
    QuantizationOptions options,
    OnnxRuntimeMatrixProduct product,
    WideLayers? wide = null,
    IReadOnlyList<ILayer>? layers = null)
{
    private readonly SharedStatistics _shared = new(layers ?? []);

    /// <summary>ε: a probabilistic bound of a layer fails with at most this probability.</summary>
    private const double FailureProbability = 0.01;

    /// <summary>A node of its own is added to the graph only for a bias that takes up this share of the squared error.</summary>
    private const double LeastShareOfNode = 0.01;

    /// <summary>
    /// With more bits none is added at all: the whole error is then less than a hundredth of the outputs, and a node costs time at
    /// every run.
    /// </summary>
    private const int MostBitsOfNode = 6;

    /// <summary>Quantizes a layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="number">Its place among the quantized layers, the key of its random numbers.</param>
    /// <param name="inputs">Its input in both streams and its float outputs.</param>
    /// <param name="gathered">Called when the statistics are there and rounding begins.</param>
    /// <param name="bits">Bits per weight; null for those of the options.</param>
    public LayerResult Quantize(ILayer layer, int number, LayerInputs inputs, Action? gathered = null, int? bits = null)
    {
        var layout = layer.Layout;
        var weights = ReadWeights(layer);
        int[] rows = [.. inputs.Float.Select(x => layer.CountRows(x.Shape))];
        if (rows.All(r => r == 0))
        {
            throw new QuantizationException(
                $"The input of layer '{layer.Node.Name}' has no rows on the calibration rows: give rows that reach it, or exclude the layer.");
        }

        var algorithm = wide?.Algorithm(layer, options) ?? options.Algorithm;
        var shared = _shared.Take(layer, inputs);
        var sampler = shared?.Sampler ?? new RowSampler(options.Seed, number, rows, wide?.Rows(layer) ?? options.RowsPerLayer);
        var split = ReadStatistics(layer, inputs, weights, sampler, algorithm, shared?.Sums);
        if (!split[0].Fitted.AreRowsAlone)
            _shared.Offer(number, LayerRows.Of(layer, inputs, sampler, split));
        LayerStatistics[] statistics = [.. split.Select(s => s.All)];
        var recipes = Recipes(weights, statistics, bits ?? options.Bits);
        var correct = Corrects(layer, index, options, bits ?? options.Bits);
        var activation = correct ? ClippingActivation.After(layer, index) : null;
        var samples = activation is null ? null : RowSample.Read(layer, inputs, sampler);
        gathered?.Invoke();
        var groups = new GroupResult[layout.Groups];
        var threads = layout.Groups == 1 ? options.Threads : 1;
        try
        {
            ParallelWork.For(layout.Groups, options.Threads, g => groups[g] = QuantizeGroup(g), options.CancellationToken);
        }
        catch (InvalidOperationException e)
        {
            throw Unfit(layer, algorithm, e);
        }

        var error = groups.Sum(g => g.SquaredError);
        var energy = groups.Sum(g => g.OutputEnergy);
        var bias = layer.BiasInput >= 0 && layer.Node.Proto.Input.Count > layer.BiasInput
            ? index.Initializers.GetValueOrDefault(layer.Node.Proto.Input[layer.BiasInput])
            : null;
        return new(
            new QuantizedLayer(layer, [.. groups.Select(g => g.Weights)], groups.All(g => g.Shift is null) ? null : [.. groups.SelectMany(g => g.Shift!)], bias)
            {
                InputFactors = groups.All(g => g.Factors is null) ? null : [.. groups.Select(g => g.Factors)],
            },
            GroupResult.Ratio(error, energy),
            sampler.Count,
            LayerCertificate.Join([.. groups.Select(g => g.Certificate)], statistics))
        {
            Bits = bits,
            HeldBackError = groups.All(g => g.HeldBack is not null)
                ? GroupResult.Ratio(groups.Sum(g => g.HeldBack!.SquaredError), groups.Sum(g => g.HeldBack!.OutputEnergy))
                : null,
        };

        GroupResult QuantizeGroup(int g)
        {
            var group = new RescaledGroup(weights[g], split[g], null);
            var result = QuantizeProblem(g, group);
            if (FactorsToTry(group, layout.Groups, correct) is not { } factors)
                return result;
            var rescaled = QuantizeProblem(g, group.By(factors));
            return BadlyScaledInputs.Pay(rescaled.Judged, result.Judged) ? rescaled with { Factors = factors } : result;
        }

        GroupResult QuantizeProblem(int g, RescaledGroup problem)
        {
            var context = new QuantizationContext
            {
                Seed = options.Seed,
                Layer = number,
                FirstNeuron = g * layout.Outputs,
                Threads = threads,
                Product = layout.Groups == 1 ? product : null, // groups run in parallel already
                CancellationToken = options.CancellationToken,
            };
            var group = new GroupQuantizer(algorithm, problem.Weights, problem.Statistics, recipes[g], context, FailureProbability / layout.Groups);
            if (!correct)
                return group.Quantize();
            if (activation is null)
                return group.QuantizeWithBias(BiasWriter.NeedsNode(layer, index) ? LeastShareOfNode : 0);
            var outputs = new Range(g * layout.Outputs, (g + 1) * layout.Outputs);
            return group.QuantizeGuarded(
                problem.Rescale(samples![g]),
                LayerStatisticsReader.Engine(layout.Inputs, product, threads),
                activation.Low[outputs],
                activation.High[outputs]);
        }
    }

    /// <summary>Whether the layer's bias may take up its mean error.</summary>
    public static bool Corrects(ILayer layer, GraphIndex index, QuantizationOptions options, int bits) =>
        options.BiasCorrection
        && BiasWriter.CanApply(layer, index)
        && (bits <= MostBitsOfNode || !BiasWriter.NeedsNode(layer, index));

    private static Matrix<float>[] ReadWeights(ILayer layer)
    {
        var values = layer.Node.ReadWeight();
        return [.. Enumerable.Range(0, layer.Layout.Groups).Select(g => layer.Layout.Gather<float>(values, g))];
    }

    /// <summary>What is said where the algorithm cannot do as its own options ask, such as to clip nothing within a byte.</summary>
    public static QuantizationException Unfit(ILayer layer, IWeightQuantizer algorithm, InvalidOperationException e) =>
        new($"The layer '{layer.Node.Name}' cannot be quantized by {algorithm.Name}: {e.Message}", e);

    /// <summary>Groups that share one scale were fitted together, and stay as they are.</summary>
    private float[]? FactorsToTry(RescaledGroup group, int groups, bool correct)
    {
        if (groups > 1 && options.Granularity == Granularity.PerTensor)
            return null;
        var rows = group.Statistics.All;
        var energy = rows.InputEnergy();
        if (correct && rows.Count >= GroupQuantizer.FewRows)
            energy = [.. energy.Zip(rows.InputMean, (e, mean) => Math.Max(0, e - (rows.Count * mean * mean)))];
        return BadlyScaledInputs.Factors(
            group.Weights, energy, options.Granularity.BlockSize(group.Weights.Rows), options.Granularity.SeparatesOutputs);
    }

    private SplitStatistics[] ReadStatistics(
        ILayer layer, LayerInputs inputs, Matrix<float>[] weights, RowSampler sampler, IWeightQuantizer algorithm, (LayerStatistics? Fitted, LayerStatistics? HeldBack)[]? sameRows)
    {
        try
        {
            return LayerStatisticsReader.Read(
                layer,
                inputs,
                LayerOutputs.Of(layer, inputs, index),
                weights,
                sampler,
                algorithm.NeedsCrossGram,
                algorithm.UsesHeldBackRows,
                product,
                options.Threads,
                options.CancellationToken,
                rowsAlone: wide?.Rows(layer) is not null,
                sameRows);
        }
        catch (NonFiniteInputException e)
        {
            var what = double.IsFinite(e.OffendingNumber) ? "too large for single precision" : "NaN or infinite";
            throw new QuantizationException(
                $"The input of layer '{layer.Node.Name}' is {what} on the calibration rows: check the rows, or exclude the layer.", e);
        }
        catch (InvalidOperationException e)
        {
            throw new QuantizationException(
                $"The output of layer '{layer.Node.Name}' is too large for single precision on the calibration rows: check the rows, or exclude the layer.", e);
        }
    }

    /// <summary>One scale for the whole tensor is fitted to all groups together.</summary>
    private GridRecipe[] Recipes(Matrix<float>[] weights, LayerStatistics[] statistics, int bits)
    {
        var recipe = new GridRecipe(bits == options.Bits ? options.Alphabet : Alphabet.OfBits(bits), options.Granularity, options.ScaleRule)
        {
            ZeroPoint = options.ZeroPoint,
            Percentile = options.Percentile,
        };
        if (weights.Length == 1 || options.Granularity != Granularity.PerTensor)
            return [.. weights.Select(_ => recipe)];
        var (inputs, outputs) = (weights[0].Rows, weights[0].Columns);
        var all = new Matrix<float>(inputs, outputs * weights.Length);
        for (var g = 0; g < weights.Length; g++)
        {
            for (var t = 0; t < inputs; t++)
                weights[g].Row(t).CopyTo(all.Row(t)[(g * outputs)..]);
        }

        // Input t of every group shares one weight in the error: the sum of its energies over the groups.
        var energy = new double[inputs];
        foreach (var group in statistics)
            energy = [.. energy.Zip(group.InputEnergy(), (a, b) => a + b)];
        var grid = recipe.Fit(all, energy);
        return [.. weights.Select((_, g) => GridRecipe.Fixed(grid.SelectOutputs(g * outputs, outputs)))];
    }
}
