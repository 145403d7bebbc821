using System.Diagnostics;
using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Numerics;
using MLNetQuant.Onnx.External;
using MLNetQuant.Onnx.Activations;
using MLNetQuant.Onnx.Formats;
using MLNetQuant.Onnx.Graph;
using MLNetQuant.Onnx.Layers;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>
/// Foretells a run: walks one batch through both streams, with weights rounded to nearest, and writes these into a copy of
/// the model that is only measured.
/// </summary>
internal sealed class DryRun(OnnxModel model, QuantizationPlan plan, QuantizationOptions options)
{
    /// <summary>A run compares the written file with the float model: so many batches, each on both.</summary>
    private const int VerifiedRuns = 2 * QuantizationRun.VerifiedBatches;

    /// <summary>Layers come to leave so many times their statistics as garbage, if it is not collected before.</summary>
    private const int GarbageOfLayer = 3;

    /// <summary>In front of an activation that clips, rounding runs once, or once more where its bias is refused.</summary>
    private const double RunsOfGuarded = 1.5;

    private readonly int _threads = options.Threads == 0 ? Environment.ProcessorCount : options.Threads;

    /// <param name="planning">What finding the layers took.</param>
    public QuantizationEstimate Estimate(TimeSpan planning)
    {
        var budget = options.MemoryBudget ?? QuantizationOptions.HalfOfFreeMemory;
        using var garbage = GarbageLimit.Of(options.MemoryBudget);
        var (opening, forward, outputs, running) = MeasureForward();
        var (timed, contest) = MeasureTimed(opening);
        var streamNames = new FreshNames(plan.Branches.Model.Graph);
        var written = new WrittenLayers(plan.Candidates[0].Plan, plan.Branches, plan.Prepared.Graph);
        var pilot = new RoundingPilot(options, _threads);
        var tables = new TableQuantizer(options);
        var (statistics, seconds, passes) = (0L, 0.0, 2.0 * (plan.Batches.Count - 1));
        using var walk = new CalibrationWalk(
            plan.Branches.Model, plan.Index, plan.Layers, [plan.Batches[0]], options.Threads, budget, options.CancellationToken);
        var walking = new Stopwatch();
        foreach (var layer in plan.Layers)
        {
            options.CancellationToken.ThrowIfCancellationRequested();
            if (layer.ReadsRows)
            {
                walking.Start();
                var inputs = walk.Advance(layer);
                walking.Stop();
                var rows = (int)Math.Min(options.RowsPerLayer, inputs.Float.Sum(x => (long)layer.CountRows(x.Shape)) * plan.Batches.Count);
                statistics = Math.Max(statistics, plan.Wide.Rows(layer) is { } kept
                    ? StatisticsMemory.OfRowsAlone(layer, Math.Min(rows, kept))
                    : StatisticsMemory.Bytes(layer, rows, options.Algorithm.NeedsCrossGram));
                if (layer is RecurrentStateLayer)
                    passes += 2 * plan.Batches.Count; // its node, which is most of such a model, runs once more in each stream
                seconds += Measure(pilot, layer, rows) * (Corrects(layer) && ClippingActivation.After(layer, plan.Index) is not null ? RunsOfGuarded : 1);
            }

            var rounding = Stopwatch.StartNew();
            var rounded = layer.ReadsRows ? Round(layer) : tables.Quantize(layer).Layer;
            if (!layer.ReadsRows)
            {
                seconds += rounding.Elapsed.TotalSeconds;
                statistics = Math.Max(statistics, StatisticsMemory.OfTable(layer));
            }

            walk.Replace(layer, new FloatFormat().Write(rounded, streamNames));
            written.Add(rounded);
        }

        var file = plan.Write(written, model, options);
        var live = walk.LargestBytes * plan.Batches.Count;
        var files = plan.Candidates.Count;
        var verified = Math.Min(VerifiedRuns, 2 * plan.Batches.Count); // the outputs of both models
        var parallel = Math.Min(_threads, plan.Batches.Count);
        var runs = passes + (files * verified);
        var weights = plan.Layers.Sum(l => l.Layout.Count);
        // What stages hold: batches run beside all values that are alive, layers are rounded beside them, outputs are compared.
        var (walked, runningBatches) = (Math.Min(live, budget), running * parallel);
        var most = new[] { walked + runningBatches, walked + statistics, (outputs * verified) + runningBatches, timed }.Max();
        garbage?.Collect();
        using var process = Process.GetCurrentProcess();
        return new()
        {
            Layers = plan.Layers.Count,
            Weights = weights + plan.Skipped.Sum(s => s.Weights),
            QuantizedWeights = weights,
            CalibrationRows = plan.Rows,
            FloatBytes = model.SizeInBytes,
            QuantizedBytes = ModelFiles.Bytes(file, options.ExternalData),
            LiveBytes = live,
            MemoryBudget = budget,
            StatisticsBytes = statistics,
            PeakMemoryBytes = Math.Max(process.PeakWorkingSet64, process.WorkingSet64 + most + Math.Min(garbage?.Bytes ?? long.MaxValue, GarbageOfLayer * statistics)),
            Seconds = planning.TotalSeconds + (3 * opening) + walking.Elapsed.TotalSeconds + (forward * runs / (double)parallel) + seconds + pilot.WarmUp + contest,
        };
    }

    private double Measure(RoundingPilot pilot, ILayer layer, int rows)
    {
        try
        {
            return pilot.Measure(layer, rows);
        }
        catch (InvalidOperationException e)
        {
            throw LayerQuantizer.Unfit(layer, options.Algorithm, e);
        }
    }

    /// <summary>Seconds to open the float model, and to run one batch on one thread once it is warm; bytes of its outputs, and
    /// of all that a run takes for itself.</summary>
    private (double Opening, double Forward, long Outputs, long Running) MeasureForward()
    {
        var watch = Stopwatch.StartNew();
        using var session = OnnxSession.Open(model);
        var opening = watch.Elapsed.TotalSeconds;
        if (session.FloatOutputs is not { Count: > 0 } outputs)
            return (opening, 0, 0, 0);
        // A session that keeps the memory of its runs takes it in the first one; another maps its weights then.
        var first = ResidentGrowth.Of(() => session.Run(plan.Batches[0], outputs));
        var bytes = 0L;
        watch.Restart();
        var second = ResidentGrowth.Of(() => bytes = session.Run(plan.Batches[0], outputs).Values.Sum(r => r.ByteCount));
        return (opening, watch.Elapsed.TotalSeconds, bytes, session.KeepsMemory ? Math.Max(first, second) : second);
    }

    /// <summary>Bytes that the sessions of all files take up while they are timed, and seconds that this takes.</summary>
    private (long Bytes, double Seconds) MeasureTimed(double opening)
    {
        if (plan.TimedBatches.Count == 0)
            return (0, 0);
        var models = plan.Candidates.Count + 1;
        var before = Environment.WorkingSet;
        using var session = OnnxSession.Open(model);
        var outputs = session.FloatOutputs is { Count: > 0 } floats ? floats : session.Outputs;
        double[] seconds = [.. plan.TimedBatches.Select(Run)];
        return (Math.Max(0, Environment.WorkingSet - before) * models, (models * opening) + SessionTimer.Foretell(models, seconds));

        double Run(TimedBatch batch)
        {
            session.Run(batch.Inputs, outputs);
            var watch = Stopwatch.StartNew();
            session.Run(batch.Inputs, outputs);
            return watch.Elapsed.TotalSeconds;
        }
    }

    /// <summary>A layer that reads rows, with each weight rounded to nearest on a grid of the size that the run is going to write.</summary>
    private QuantizedLayer Round(ILayer layer)
    {
        var layout = layer.Layout;
        var recipe = new GridRecipe(options.Alphabet, options.Granularity, ScaleRule.AbsMax) { ZeroPoint = ZeroPoints };
        var values = layer.Node.ReadWeight();
        Grid? first = null;
        var groups = new QuantizedWeights[layout.Groups];
        for (var g = 0; g < groups.Length; g++)
        {
            var weights = layout.Gather<float>(values, g);
            var grid = options.Granularity == Granularity.PerTensor && first is not null ? first : recipe.Fit(weights, Filled(layout.Inputs, 1));
            first ??= grid;
            var codes = new Matrix<sbyte>(layout.Inputs, layout.Outputs);
            for (var t = 0; t < layout.Inputs; t++)
            {
                for (var i = 0; i < layout.Outputs; i++)
                    codes[t, i] = grid.Nearest(t, i, weights[t, i], out _);
            }

            groups[g] = new(codes, grid);
        }

        var bias = layer.BiasInput >= 0 && layer.Node.Proto.Input.Count > layer.BiasInput
            ? plan.Index.Initializers.GetValueOrDefault(layer.Node.Proto.Input[layer.BiasInput])
            : null;
        var unit = new ActivationGrid(1, 0);
        var rounds = plan.Candidates[0].Plan.Of(layer).RoundsOutput(layer);
        return new(layer, groups, Corrects(layer) ? Filled(layout.AllOutputs, layer.Node.Index + 1) : null, bias) { Activations = new(unit, rounds ? unit : null) }; // equal biases would be stored once
    }

    private bool Corrects(ILayer layer) => LayerQuantizer.Corrects(layer, plan.Index, options, options.Bits);

    private ZeroPointRule ZeroPoints
    {
        get
        {
            if (options.ZeroPoint != ZeroPointRule.Automatic)
                return options.ZeroPoint == ZeroPointRule.None ? ZeroPointRule.None : ZeroPointRule.Range;
            var blocks = options.Granularity != Granularity.PerTensor && options.Granularity != Granularity.PerChannel;
            var most = blocks ? 4 : 3; // bits at which Best tries zero points
            return options.Bits <= most && options.Algorithm is Best ? ZeroPointRule.Range : ZeroPointRule.None;
        }
    }

    private static double[] Filled(int count, double value)
    {
        var values = new double[count];
        Array.Fill(values, value);
        return values;
    }
}
