using System.Reflection;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetQuant.Chains;

/// <summary>The steps of a chain and their scopes, whatever its last step is.</summary>
internal sealed class ChainParts
{
    private static readonly TransformerScope[] Scopes = [TransformerScope.Training, TransformerScope.Testing, TransformerScope.Scoring];
    private static readonly MethodInfo ReadMethod = Method(nameof(Read));
    private static readonly MethodInfo BuildMethod = Method(nameof(Build));

    private readonly Type _last;

    private ChainParts(Type last, IReadOnlyList<(ITransformer Step, TransformerScope Scope)> steps)
    {
        (_last, Steps) = (last, steps);
    }

    public IReadOnlyList<(ITransformer Step, TransformerScope Scope)> Steps { get; }

    /// <summary>The parts of a chain, or null for another transformer.</summary>
    /// <param name="model">A chain, or another transformer.</param>
    /// <param name="savedScopes">The scopes of a chain's steps as they are saved, for chains that do not tell them otherwise.</param>
    public static ChainParts? Of(ITransformer model, Func<ITransformer, IReadOnlyList<TransformerScope>> savedScopes) => IsChain(model)
        ? (ChainParts)Invoke(ReadMethod, model.GetType().GetGenericArguments()[0], model, savedScopes)
        : null;

    /// <summary>The steps of a model, those of chains in it included; its own is the model itself where it is no chain.</summary>
    public static IEnumerable<ITransformer> StepsOf(ITransformer model) =>
        IsChain(model) ? ((IEnumerable<ITransformer>)model).SelectMany(StepsOf) : [model];

    /// <summary>A chain of other steps in the same scopes, and of the same type if its last step allows it.</summary>
    public ITransformer With(IReadOnlyList<ITransformer> steps)
    {
        var last = _last.IsInstanceOfType(steps[^1]) ? _last : typeof(ITransformer);
        return (ITransformer)Invoke(BuildMethod, last, steps, Steps.Select(s => s.Scope));
    }

    private static bool IsChain(ITransformer model) =>
        model.GetType() is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(TransformerChain<>);

    /// <summary>
    /// ML.NET tells which steps take part in a scope, in order, but not the scopes of a step. Of one that stands in several
    /// places, and takes part in a scope in only some of them, that does not tell which.
    /// </summary>
    private static ChainParts Read<TLast>(TransformerChain<TLast> chain, Func<ITransformer, IReadOnlyList<TransformerScope>> savedScopes)
        where TLast : class, ITransformer
    {
        ITransformer[] steps = [.. chain];
        var scopes = new TransformerScope[steps.Length];
        foreach (var scope in Scopes)
        {
            ITransformer[] taking = [.. chain.GetModelFor(scope)];
            for (var i = 0; i < steps.Length; i++)
            {
                var times = taking.Count(s => ReferenceEquals(s, steps[i]));
                if (times > 0 && times < steps.Count(s => ReferenceEquals(s, steps[i])))
                    return new(typeof(TLast), [.. steps.Zip(savedScopes(chain))]);
                if (times > 0)
                    scopes[i] |= scope;
            }
        }

        return new(typeof(TLast), [.. steps.Zip(scopes)]);
    }

    private static TransformerChain<TLast> Build<TLast>(IReadOnlyList<ITransformer> steps, IEnumerable<TransformerScope> scopes)
        where TLast : class, ITransformer => new(steps, scopes);

    private static MethodInfo Method(string name) =>
        typeof(ChainParts).GetMethod(name, BindingFlags.NonPublic | BindingFlags.Static)!;

    private static object Invoke(MethodInfo method, Type last, params object[] arguments) => method.MakeGenericMethod(last)
        .Invoke(null, BindingFlags.DoNotWrapExceptions, binder: null, arguments, culture: null)!;
}
