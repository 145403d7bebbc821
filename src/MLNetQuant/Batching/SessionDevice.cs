using Microsoft.ML;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Runtime;

namespace MLNetQuant.Batching;

/// <summary>What a session of batches runs on, chosen as ML.NET chooses for the sessions of its steps.</summary>
/// <param name="GpuDeviceId">The CUDA device; <see langword="null"/> for the CPU.</param>
/// <param name="FallbackToCpu">Whether the CPU stands in for a device that is not there.</param>
internal readonly record struct SessionDevice(int? GpuDeviceId, bool FallbackToCpu)
{
    /// <summary>Whether a GPU was asked for.</summary>
    public bool IsGpu => GpuDeviceId is not null;

    /// <summary>The device that a context asks for. ML.NET does not tell that of an environment of another kind, nor that of a step.</summary>
    public static SessionDevice Of(IHostEnvironment? environment) =>
        environment is MLContext { GpuDeviceId: { } device } context ? new(device, context.FallbackToCpu) : default;

    /// <summary>Opens a session.</summary>
    /// <param name="open">Opens it with options.</param>
    /// <param name="threads">Threads of its runs on the CPU; <see langword="null"/> for as many as ONNX Runtime sees fit.</param>
    /// <exception cref="OnnxRuntimeException">The model or the device cannot be used.</exception>
    public InferenceSession Open(Func<SessionOptions, InferenceSession> open, int? threads)
    {
        if (GpuDeviceId is { } device)
        {
            try
            {
                using var options = CreateOptions(threads);
                options.AppendExecutionProvider_CUDA(device);
                return open(options);
            }
            catch (OnnxRuntimeException) when (FallbackToCpu)
            {
                // Then the CPU.
            }
        }

        using var onCpu = CreateOptions(threads);
        return open(onCpu);
    }

    /// <summary>ONNX Runtime's threads wait awake during a run only: between batches the cores are for who reads the rows.</summary>
    private static SessionOptions CreateOptions(int? threads)
    {
        var options = new SessionOptions();
        options.AddSessionConfigEntry("session.force_spinning_stop", "1");
        if (threads is { } given)
            options.IntraOpNumThreads = given;
        return options;
    }
}
