namespace Microsoft.ML.Runtime;

/// <summary>The exceptions of ML.NET by type and message form; a context, where given, marks them.</summary>
internal static class Contracts
{
    public static Exception Except(this IExceptionContext context, string message) =>
        Process(context, new InvalidOperationException(message));

    public static Exception Except(string message) => Except(null, message);

    public static Exception ExceptParam(this IExceptionContext context, string parameter, string message) =>
        Process(context, new ArgumentOutOfRangeException(parameter, message));

    public static Exception ExceptParam(string parameter, string message) => ExceptParam(null, parameter, message);

    public static Exception ExceptParam(string parameter) =>
        Process(null, new ArgumentOutOfRangeException(parameter));

    public static Exception ExceptValue(this IExceptionContext context, string parameter) =>
        Process(context, new ArgumentNullException(parameter));

    public static Exception ExceptDecode(this IExceptionContext context, string message) =>
        Process(context, new FormatException(message));

    public static Exception ExceptMissingColumn(
        this IExceptionContext context, string parameter, string role, string column) =>
        ExceptParam(context, parameter, $"Could not find {role} column '{column}'");

    public static Exception ExceptSchemaMismatch(
        this IExceptionContext context, string parameter, string role, string column, string expected, string actual) =>
        ExceptParam(context, parameter, $"Schema mismatch for {role} column '{column}': expected {expected}, got {actual}");

    /// <summary>For what the real library does and this stand-in does not.</summary>
    public static NotSupportedException ExceptLacking(string what) =>
        new($"The stand-in for Microsoft.ML lacks {what}; build with MLNetSource=packages to use it.");

    public static void Check(this IExceptionContext context, bool condition, string message)
    {
        if (!condition)
            throw Except(context, message);
    }

    public static void CheckParam(bool condition, string parameter)
    {
        if (!condition)
            throw ExceptParam(parameter);
    }

    public static void CheckParam(bool condition, string parameter, string message)
    {
        if (!condition)
            throw ExceptParam(null, parameter, message);
    }

    public static void CheckParam(this IExceptionContext context, bool condition, string parameter, string message)
    {
        if (!condition)
            throw ExceptParam(context, parameter, message);
    }

    public static void CheckValue<T>(T value, string parameter)
        where T : class
    {
        if (value is null)
            throw ExceptValue(null, parameter);
    }

    public static void CheckValue<T>(this IExceptionContext context, T value, string parameter)
        where T : class
    {
        if (value is null)
            throw ExceptValue(context, parameter);
    }

    public static void CheckNonEmpty(string value, string parameter) => CheckNonEmpty(null, value, parameter);

    public static void CheckNonEmpty(this IExceptionContext context, string value, string parameter)
    {
        if (string.IsNullOrEmpty(value))
            throw ExceptParam(context, parameter, $"{parameter} cannot be null or empty");
    }

    public static void CheckNonEmpty<T>(this IExceptionContext context, IReadOnlyCollection<T> values, string parameter)
    {
        if (values is null || values.Count == 0)
            throw ExceptParam(context, parameter, $"{parameter} cannot be null or empty");
    }

    public static void CheckNonWhiteSpace(this IExceptionContext context, string value, string parameter)
    {
        if (string.IsNullOrWhiteSpace(value))
            throw ExceptParam(context, parameter, $"{parameter} cannot be null or white space");
    }

    internal static void Mark(Exception exception) => exception.Data["ML_IsMarked"] = 1;

    private static Exception Process(IExceptionContext context, Exception exception)
    {
        if (context is not null)
            return context.Process(exception);
        Mark(exception);
        return exception;
    }
}
