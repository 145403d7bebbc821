using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetQuant.Chains;

/// <summary>What the steps of a chain make of data, in each scope; steps are applied when their rows are asked for.</summary>
/// <param name="data">The rows that reach the chain.</param>
internal sealed class ScopedViews(Func<IDataView> data)
{
    private readonly List<(ITransformer Step, TransformerScope Scope, string Name)> _steps = [];
    private readonly Dictionary<TransformerScope, (IDataView View, int Applied)> _views = [];

    /// <summary>Puts a step behind the others.</summary>
    public void Add(ITransformer step, TransformerScope scope, string name) => _steps.Add((step, scope, name));

    /// <summary>The rows that reach the next step: when scoring, if it takes part in that; else when training, else when testing.</summary>
    /// <exception cref="QuantizationException">The data do not fit a step before.</exception>
    public IDataView For(TransformerScope scope)
    {
        var path = scope.HasFlag(TransformerScope.Scoring) ? TransformerScope.Scoring
            : scope.HasFlag(TransformerScope.Training) ? TransformerScope.Training
            : TransformerScope.Testing;
        var (view, applied) = _views.TryGetValue(path, out var known) ? known : (data(), 0);
        for (; applied < _steps.Count; applied++)
        {
            var (step, scopes, name) = _steps[applied];
            if (scopes.HasFlag(path))
                view = Transform(step, view, name);
        }

        _views[path] = (view, applied);
        return view;
    }

    private static IDataView Transform(ITransformer step, IDataView view, string name)
    {
        try
        {
            return step.Transform(view);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException and not ObjectDisposedException)
        {
            throw new QuantizationException($"The calibration data do not fit {name}: {e.Message}", e);
        }
    }
}
