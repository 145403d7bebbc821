using System.Reflection;
using Microsoft.ML;

namespace MLNetQuant.Tests.Linear;

/// <summary>
/// ML.NET's own trainers, found by reflection: where the stand-in takes the place of ML.NET there are none to compile against.
/// </summary>
internal static class Trainers
{
    /// <summary>The class whose extension methods make them; null on the stand-in.</summary>
    public static Type? Catalog { get; } = Type.GetType("Microsoft.ML.StandardTrainersCatalog, Microsoft.ML.StandardTrainers", throwOnError: false);

    /// <summary>A trainer with its default options.</summary>
    /// <param name="ml">The context.</param>
    /// <param name="task">Its property of the task, for example BinaryClassification.</param>
    /// <param name="name">The trainer's method; "OneVersusAll:X" for one versus all of the binary trainer X.</param>
    public static IEstimator<ITransformer> Create(MLContext ml, string task, string name)
    {
        if (name.Split(':') is ["OneVersusAll", var binary])
            return Invoke(ml, task, "OneVersusAll", Create(ml, "BinaryClassification", binary));
        return Invoke(ml, task, name);
    }

    private static IEstimator<ITransformer> Invoke(MLContext ml, string task, string name, params object[] first)
    {
        var tasks = ml.GetType().GetProperty(task)!.GetValue(ml)!;
        var trainers = tasks.GetType().GetProperty("Trainers")!.GetValue(tasks)!;
        var method = Catalog!.GetMethods(BindingFlags.Public | BindingFlags.Static)
            .Where(m => m.Name == name && m.GetParameters()[0].ParameterType.IsInstanceOfType(trainers))
            .Single(m => m.GetParameters().Skip(1 + first.Length).All(p => p.IsOptional));
        if (method.IsGenericMethodDefinition)
            method = method.MakeGenericMethod(first[0].GetType().GetInterfaces().First(i => i.Name == "ITrainerEstimator`2").GetGenericArguments()[1]);
        object[] arguments = [trainers, .. first, .. Enumerable.Repeat(Type.Missing, method.GetParameters().Length - 1 - first.Length)];
        return (IEstimator<ITransformer>)method.Invoke(null, BindingFlags.OptionalParamBinding, binder: null, arguments, culture: null)!;
    }
}

/// <summary>Tests that train, skipped where ML.NET's trainers are not there.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class TrainersTheoryAttribute : TheoryAttribute
{
    public TrainersTheoryAttribute()
    {
        if (Trainers.Catalog is null)
            Skip = "The stand-in for ML.NET has no trainers.";
    }
}
