using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Onnx;

/// <summary>Options of the sessions of all ONNX models of an environment.</summary>
public sealed class OnnxSessionOptions
{
    public delegate SessionOptions CreateOnnxSessionOptions();

    public OrtLoggingLevel LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING;

    /// <summary>Makes the session options itself; the other members are then without effect.</summary>
    public CreateOnnxSessionOptions CreateSessionOptions { get; set; }

    public bool EnableMemoryPattern { get; set; } = true;

    public string ProfileOutputPathPrefix { get; set; } = "onnxruntime_profile_";

    public bool EnableProfiling { get; set; }

    public string OptimizedModelFilePath { get; set; } = string.Empty;

    public bool EnableCpuMemArena { get; set; } = true;

    public bool PerSessionThreads { get; set; } = true;

    public int GlobalIntraOpNumThreads { get; set; }

    public int GlobalInterOpNumThreads { get; set; }

    public string LogId { get; set; } = string.Empty;

    public int LogVerbosityLevel { get; set; }

    public int IntraOpNumThreads { get; set; }

    public int InterOpNumThreads { get; set; }

    public GraphOptimizationLevel GraphOptimizationLevel { get; set; } = GraphOptimizationLevel.ORT_ENABLE_ALL;

    public ExecutionMode ExecutionMode { get; set; } = ExecutionMode.ORT_SEQUENTIAL;

    internal SessionOptions Create(int? interOpNumThreads, int? intraOpNumThreads)
    {
        if (CreateSessionOptions is not null)
            return CreateSessionOptions();
        if (!PerSessionThreads)
            throw Contracts.ExceptLacking("threads shared by sessions (PerSessionThreads = false)");
        return new SessionOptions
        {
            EnableMemoryPattern = EnableMemoryPattern,
            ProfileOutputPathPrefix = ProfileOutputPathPrefix,
            EnableProfiling = EnableProfiling,
            OptimizedModelFilePath = OptimizedModelFilePath,
            EnableCpuMemArena = EnableCpuMemArena,
            LogId = LogId,
            LogSeverityLevel = LogSeverityLevel,
            LogVerbosityLevel = LogVerbosityLevel,
            GraphOptimizationLevel = GraphOptimizationLevel,
            ExecutionMode = ExecutionMode,
            InterOpNumThreads = interOpNumThreads ?? InterOpNumThreads,
            IntraOpNumThreads = intraOpNumThreads ?? IntraOpNumThreads,
        };
    }
}

public static class OnnxSessionOptionsExtensions
{
    private const string OptionName = "OnnxSessionOptions";

    public static OnnxSessionOptions GetOnnxSessionOption(this IHostEnvironment env) =>
        Internal(env).GetOptionOrDefault<OnnxSessionOptions>(OptionName);

    public static void SetOnnxSessionOption(this IHostEnvironment env, OnnxSessionOptions onnxSessionOptions) =>
        Internal(env).SetOption(OptionName, onnxSessionOptions);

    private static IHostEnvironmentInternal Internal(IHostEnvironment env) =>
        env as IHostEnvironmentInternal ?? throw new ArgumentException("No Onnx Session Options");
}
