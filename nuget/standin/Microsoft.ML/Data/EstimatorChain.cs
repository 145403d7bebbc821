using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Estimators one after another, each fitted on what those before it make of the data.</summary>
public sealed class EstimatorChain<TLastTransformer> : IEstimator<TransformerChain<TLastTransformer>>
    where TLastTransformer : class, ITransformer
{
    private readonly IHostEnvironment _cacheHost;
    private readonly Link[] _links;

    public readonly IEstimator<TLastTransformer> LastEstimator;

    public EstimatorChain()
        : this(null, [])
    {
    }

    private EstimatorChain(IHostEnvironment cacheHost, Link[] links)
    {
        _cacheHost = cacheHost?.Register("EstimatorChain");
        _links = links;
        LastEstimator = links.LastOrDefault().Estimator as IEstimator<TLastTransformer>;
    }

    public TransformerChain<TLastTransformer> Fit(IDataView input)
    {
        // Schema errors show before anything is fitted.
        GetOutputSchema(SchemaShape.Create(input.Schema));
        IDataView view = input;
        var transformers = new ITransformer[_links.Length];
        for (int i = 0; i < _links.Length; i++)
        {
            transformers[i] = _links[i].Estimator.Fit(view);
            view = transformers[i].Transform(view);
            if (_links[i].CacheAfter && i < _links.Length - 1)
                view = new CacheDataView(_cacheHost, view, null);
        }
        return new TransformerChain<TLastTransformer>(transformers, _links.Select(l => l.Scope));
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema) =>
        _links.Aggregate(inputSchema, (shape, link) => link.Estimator.GetOutputSchema(shape));

    public EstimatorChain<TNewTrans> Append<TNewTrans>(
        IEstimator<TNewTrans> estimator, TransformerScope scope = TransformerScope.Everything)
        where TNewTrans : class, ITransformer
    {
        Contracts.CheckValue(estimator, nameof(estimator));
        return new EstimatorChain<TNewTrans>(_cacheHost, [.. _links, new Link(estimator, scope, CacheAfter: false)]);
    }

    /// <summary>Keeps the rows that reach this point in memory for the estimators that follow.</summary>
    public EstimatorChain<TLastTransformer> AppendCacheCheckpoint(IHostEnvironment env)
    {
        Contracts.CheckValue(env, nameof(env));
        if (_links.Length == 0)
            throw new InvalidOperationException("Current estimator chain has no estimator, can't append cache checkpoint.");
        return _links[^1].CacheAfter
            ? this
            : new EstimatorChain<TLastTransformer>(env, [.. _links[..^1], _links[^1] with { CacheAfter = true }]);
    }

}

internal readonly record struct Link(IEstimator<ITransformer> Estimator, TransformerScope Scope, bool CacheAfter);
