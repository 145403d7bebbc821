using Microsoft.ML;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Onnx;

namespace MLNetQuant.Batching;

/// <summary>What a session of batches runs on, chosen as ML.NET chooses for the sessions of its steps.</summary>
/// <param name="GpuDeviceId">The CUDA device; <see langword="null"/> for the CPU.</param>
/// <param name="FallbackToCpu">Whether the CPU stands in for a device that is not there.</param>
internal readonly record struct SessionDevice(int? GpuDeviceId, bool FallbackToCpu)
{
    /// <summary>Makes the options of a session, whatever the device; <see langword="null"/> for ours.</summary>
    public Func<SessionOptions>? CreateGivenOptions { get; private init; }

    /// <summary>Threads that the context asks for; <see langword="null"/> where it does not.</summary>
    public int? Threads { get; private init; }

    /// <summary>Whether batches run as one: on a GPU, or as the options say that were given.</summary>
    public bool RunsInOneSession => GpuDeviceId is not null || CreateGivenOptions is not null || Threads is not null;

    /// <summary>The device and the session options that a context asks for. ML.NET does not tell those of an environment of another kind,
    /// nor those of a step.</summary>
    public static SessionDevice Of(IHostEnvironment? environment)
    {
        if (environment is not MLContext context)
            return default;
        var options = ((IHostEnvironment)context).GetOnnxSessionOption();
        return new(context.GpuDeviceId, context.FallbackToCpu)
        {
            CreateGivenOptions = options?.CreateSessionOptions is { } create ? () => create() : null,
            Threads = options is { IntraOpNumThreads: > 0 and var threads } ? threads : null,
        };
    }

    /// <summary>Opens a session.</summary>
    /// <param name="open">Opens it with options.</param>
    /// <param name="threads">Threads of its runs on the CPU; <see langword="null"/> for as many as ONNX Runtime sees fit.</param>
    /// <exception cref="OnnxRuntimeException">The model or the device cannot be used.</exception>
    /// <exception cref="QuantizationException">The program's ONNX Runtime knows no GPU.</exception>
    public InferenceSession Open(Func<SessionOptions, InferenceSession> open, int? threads)
    {
        if (CreateGivenOptions is { } create)
        {
            // They may be the caller's, for other sessions too.
            return open(create());
        }

        threads ??= Threads;
        if (GpuDeviceId is { } device)
        {
            try
            {
                using var options = CreateOptions(threads);
                options.AppendExecutionProvider_CUDA(device);
                return open(options);
            }
            catch (Exception e) when (FallbackToCpu && e is OnnxRuntimeException or EntryPointNotFoundException)
            {
                // Then the CPU.
            }
            catch (EntryPointNotFoundException e)
            {
                throw new QuantizationException(
                    $"The ONNX Runtime of this program has no CUDA for the GPU {device}: reference Microsoft.ML.OnnxRuntime.Gpu, or let the CPU stand in (FallbackToCpu).", e);
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
