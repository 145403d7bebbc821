using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Onnx;
using MLNetQuant.Linear;
using MLNetQuant.Onnx;

namespace MLNetQuant.Chains;

/// <summary>
/// Walks a trained model and replaces the steps whose weights can be quantized, one after the other, each on the rows that
/// the steps before it, quantized already, let through. All other steps are those of the given model.
/// </summary>
internal sealed class ChainQuantizer(ModelOperationsCatalog catalog, QuantizationOptions options, ChainMessages messages)
{
    /// <summary>The reason that is none to complain about.</summary>
    public const string QuantizedAlready = "it is quantized already";

    private const string TakesPartInNothing = "its scope lets it take part in nothing";

    private readonly StepArchive _archive = new(catalog);
    private readonly List<QuantizedStep> _quantized = [];
    private readonly List<UnquantizedStep> _leftAlone = [];
    private readonly List<ITransformer> _made = [];

    public ChainQuantizationReport Report => new() { Quantized = [.. _quantized], LeftAlone = [.. _leftAlone] };

    /// <summary>Quantizes a model once.</summary>
    /// <returns>A model of the same kind, or the given one where nothing in it was quantized.</returns>
    /// <exception cref="QuantizationException">The data do not fit the model, or a step cannot be quantized on them.</exception>
    public ITransformer Quantize(ITransformer model, IDataView data)
    {
        try
        {
            var quantized = Visit(model, "1", TransformerScope.Everything, new(() => data), isRoot: true);
            if (_quantized.Count == 0)
                messages.TellOfNothing();
            return quantized;
        }
        catch
        {
            foreach (var step in _made)
                (step as IDisposable)?.Dispose();
            throw;
        }
    }

    private ITransformer Visit(ITransformer step, string position, TransformerScope scope, ScopedViews rows, bool isRoot = false)
    {
        options.CancellationToken.ThrowIfCancellationRequested();
        if (ChainParts.Of(step, chain => ScopesOf(chain, position, isRoot)) is { } chain)
        {
            return scope == TransformerScope.None
                ? LeaveAlone(step, position, "TransformerChain", TakesPartInNothing)
                : VisitChain(step, chain, isRoot ? "" : $"{position}.", scope, rows);
        }

        return Replace(step, position, scope, rows);
    }

    private ITransformer VisitChain(ITransformer whole, ChainParts chain, string prefix, TransformerScope scope, ScopedViews rows)
    {
        var inner = new ScopedViews(() => rows.For(scope));
        var steps = new ITransformer[chain.Steps.Count];
        for (var i = 0; i < steps.Length; i++)
        {
            var (step, ownScope) = chain.Steps[i];
            var position = $"{prefix}{i + 1}";
            steps[i] = Visit(step, position, ownScope, inner);
            inner.Add(steps[i], ownScope, Name(position, step));
        }

        return steps.Zip(chain.Steps).All(p => ReferenceEquals(p.First, p.Second.Step)) ? whole : chain.With(steps);
    }

    private ITransformer Replace(ITransformer step, string position, TransformerScope scope, ScopedViews rows)
    {
        if (step is WeightQuantizingTransformer)
            return LeaveAlone(step, position, nameof(WeightQuantizingTransformer), QuantizedAlready);
        if (step is BatchedOnnxTransformer or BatchedTransformer)
            return LeaveAlone(step, position, step.GetType().Name, "it scores in batches, which its quantized form would not: quantize the model first, then make it score in batches");
        if (StepTypes.ReasonToLeaveAlone(step.GetType()) is { } foreign)
            return LeaveAlone(step, position, step.GetType().Name, foreign);
        if (StepTypes.HasNoParameters(step.GetType()))
            return step;
        if (step is OnnxTransformer && scope == TransformerScope.None)
            return LeaveAlone(step, position, nameof(OnnxTransformer), TakesPartInNothing);
        if (!_archive.TrySave(step, $"step {position}", out var saved, out var cause))
        {
            // What the caller wants quantized, and can mend, is not passed over.
            return step is OnnxTransformer && cause is FileNotFoundException or DirectoryNotFoundException
                ? throw new QuantizationException(
                    $"The ONNX model of {Name(position, step)} cannot be read, because its file is gone ({StepArchive.Words(cause)}): put the file back, or fit or load the model again.",
                    cause)
                : LeaveAlone(step, position, step.GetType().Name, $"it cannot be saved, so that its weights cannot be read ({StepArchive.Words(cause)})");
        }

        if (saved.Steps is not [var found])
        {
            return saved.Steps.Any(s => s.Kind is SavedStepKind.Onnx or SavedStepKind.Linear)
                ? LeaveAlone(step, position, step.GetType().Name, "it wraps a chain: quantize the chain before it is wrapped")
                : step;
        }

        return found.Kind switch
        {
            SavedStepKind.WithoutParameters => step,
            SavedStepKind.Other => LeaveAlone(step, position, found.TypeName, found.Reason!),
            _ when scope == TransformerScope.None => LeaveAlone(step, position, found.TypeName, TakesPartInNothing),
            SavedStepKind.Onnx => ReplaceOnnx(step, position, saved, found, () => rows.For(scope)),
            _ => ReplaceLinear(step, position, saved, found, () => rows.For(scope)),
        };
    }

    private ITransformer ReplaceOnnx(
        ITransformer step, string position, SavedModel saved, SavedStep found, Func<IDataView> rows)
    {
        var onnx = saved.ReadOnnx(found, Name(position, step));
        if (OnnxStepQuantizer.Refuse(onnx, options) is { } reason)
            return LeaveAlone(step, position, found.TypeName, reason);
        var quantized = OnnxStepQuantizer.Quantize(onnx, rows(), OptionsFor(position, found.TypeName));
        if (quantized.Report.Layers.Count == 0)
            return LeaveAlone(step, position, found.TypeName, $"'{quantized.Report.Skipped[0].Name}': {quantized.Report.Skipped[0].Reason}");
        return Take(position, found.TypeName, saved, saved.With(found, quantized.Model), quantized.Report);
    }

    private ITransformer ReplaceLinear(
        ITransformer step, string position, SavedModel saved, SavedStep found, Func<IDataView> rows)
    {
        var model = saved.ReadLinear(found);
        if (LinearModelQuantizer.Refuse(model, options) is { } reason)
            return LeaveAlone(step, position, found.TypeName, reason);
        var features = FeatureRows.Read(rows(), model, Name(position, step), options);
        var quantized = LinearModelQuantizer.Quantize(model, features, OptionsFor(position, found.TypeName));
        if (quantized.Report.Layers.Count == 0)
            return LeaveAlone(step, position, found.TypeName, quantized.Report.Skipped[0].Reason);
        return Take(position, found.TypeName, saved, saved.With(found, quantized.Model), quantized.Report);
    }

    private QuantizationOptions OptionsFor(string position, string type) =>
        options with { Progress = messages.Of(position, type, options.Progress) };

    private ITransformer Take(string position, string type, SavedModel before, SavedModel after, QuantizationReport report)
    {
        var step = _archive.Load(after);
        _made.Add(step);
        _quantized.Add(new(position, type, before.SizeInBytes, after.SizeInBytes, report));
        messages.Tell(_quantized[^1]);
        return step;
    }

    private ITransformer LeaveAlone(ITransformer step, string position, string type, string reason)
    {
        _leftAlone.Add(new(position, type, reason));
        messages.Tell(_leftAlone[^1]);
        return step;
    }

    /// <summary>The scopes of a chain in which one step stands several times, from its saved form.</summary>
    private IReadOnlyList<TransformerScope> ScopesOf(ITransformer chain, string position, bool isRoot)
    {
        var name = isRoot ? "the model" : $"the chain in step {position}";
        return _archive.TrySave(chain, name, out var saved, out var cause)
            ? [.. saved.ReadScopes().Select(s => (TransformerScope)s)]
            : throw new QuantizationException(
                $"One step stands in several places of {name} with different scopes, which only its saved form tells apart, and it cannot be saved ({StepArchive.Words(cause)}): fit the step anew for each place, or make all steps ones that can be saved.",
                cause);
    }

    private static string Name(string position, ITransformer step) => $"step {position} ({step.GetType().Name.Split('`')[0]})";
}
