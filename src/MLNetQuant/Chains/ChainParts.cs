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
    public static ChainParts? Of(ITransformer model)
    {
        var type = model.GetType();
        if (!type.IsGenericType || type.GetGenericTypeDefinition() != typeof(TransformerChain<>))
            return null;
        return (ChainParts)Invoke(ReadMethod, type.GetGenericArguments()[0], model);
    }

    /// <summary>The steps of a model, those of chains in it included; its own is the model itself where it is no chain.</summary>
    public static IEnumerable<ITransformer> StepsOf(ITransformer model) =>
        Of(model) is { } chain ? chain.Steps.SelectMany(s => StepsOf(s.Step)) : [model];

    /// <summary>A chain of other steps in the same scopes, and of the same type if its last step allows it.</summary>
    public ITransformer With(IReadOnlyList<ITransformer> steps)
    {
        var last = _last.IsInstanceOfType(steps[^1]) ? _last : typeof(ITransformer);
        return (ITransformer)Invoke(BuildMethod, last, steps, Steps.Select(s => s.Scope));
    }

    /// <summary>ML.NET tells which steps take part in a scope, in order, but not the scopes of a step.</summary>
    private static ChainParts Read<TLast>(TransformerChain<TLast> chain)
        where TLast : class, ITransformer
    {
        ITransformer[] steps = [.. chain];
        var scopes = new TransformerScope[steps.Length];
        foreach (var scope in Scopes)
        {
            var next = 0;
            foreach (var step in chain.GetModelFor(scope))
            {
                next = Array.FindIndex(steps, next, s => ReferenceEquals(s, step));
                scopes[next++] |= scope;
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
