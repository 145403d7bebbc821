using System.Reflection;

namespace Microsoft.ML.Runtime;

/// <summary>Calls a generic method with a type argument known only at run time.</summary>
internal static class TypeDispatch
{
    public static TResult Invoke<TResult>(Func<TResult> method, Type type) =>
        (TResult)Close(method, type).Invoke(method.Target, []);

    public static TResult Invoke<T1, TResult>(Func<T1, TResult> method, Type type, T1 a) =>
        (TResult)Close(method, type).Invoke(method.Target, [a]);

    public static TResult Invoke<T1, T2, TResult>(Func<T1, T2, TResult> method, Type type, T1 a, T2 b) =>
        (TResult)Close(method, type).Invoke(method.Target, [a, b]);

    public static TResult Invoke<T1, T2, T3, TResult>(Func<T1, T2, T3, TResult> method, Type type, T1 a, T2 b, T3 c) =>
        (TResult)Close(method, type).Invoke(method.Target, [a, b, c]);

    public static TResult Invoke<T1, T2, T3, T4, TResult>(
        Func<T1, T2, T3, T4, TResult> method, Type type, T1 a, T2 b, T3 c, T4 d) =>
        (TResult)Close(method, type).Invoke(method.Target, [a, b, c, d]);

    private static MethodInfo Close(Delegate method, Type type) =>
        method.Method.GetGenericMethodDefinition().MakeGenericMethod(type);
}
