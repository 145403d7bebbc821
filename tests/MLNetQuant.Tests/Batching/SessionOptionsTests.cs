using Microsoft.ML;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Onnx;
using MLNetQuant.Tests.Data;
using MLNetQuant.Tests.Models;

namespace MLNetQuant.Tests.Batching;

/// <summary>The session options of a context that is given for batches.</summary>
public sealed class SessionOptionsTests : IDisposable
{
    private readonly ScratchFolder _folder = new();
    private readonly MLContext _ml = new(seed: 1);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Options_that_a_context_makes_are_those_of_the_one_session_of_batches()
    {
        var made = 0;
        var context = new MLContext();
        ((IHostEnvironment)context).SetOnnxSessionOption(new()
        {
            CreateSessionOptions = () =>
            {
                made++;
                return new SessionOptions { IntraOpNumThreads = 1 };
            },
        });
        var data = MixedRow.View(_ml, 300);
        using var step = _ml.Transforms.ApplyOnnxModel(SmallModels.Linear(_folder["x.onnx"], 4)).Fit(data);
        using var batched = step.Batched(environment: context);
        Assert.Equal(0, made);
        RowValues.AssertNear(RowValues.Of(step.Transform(data), "y"), RowValues.Of(batched.Transform(data), "y"));
        Assert.Equal(1, made);
        Assert.Null(batched.Steps[0].RowByRowReason);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public void Threads_that_a_context_names_are_those_of_one_session(int threads, bool one)
    {
        var context = new MLContext();
        ((IHostEnvironment)context).SetOnnxSessionOption(new() { IntraOpNumThreads = threads });
        Assert.Equal(one, MLNetQuant.Batching.SessionDevice.Of(context).RunsInOneSession);
        Assert.Equal(one ? threads : null, MLNetQuant.Batching.SessionDevice.Of(context).Threads);
    }

    [Fact]
    public void A_context_without_options_leaves_them_to_batches() =>
        Assert.Equal(default, MLNetQuant.Batching.SessionDevice.Of(new MLContext()));
}
