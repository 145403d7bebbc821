namespace Microsoft.ML.OnnxRuntime;

/// <summary>A list that disposes its members.</summary>
public interface IDisposableReadOnlyCollection<T> : IReadOnlyCollection<T>, IReadOnlyList<T>, IDisposable
{
}
