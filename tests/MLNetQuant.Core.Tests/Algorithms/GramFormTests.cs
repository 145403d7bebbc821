using MLNetQuant.Algorithms;
using MLNetQuant.Tests.Oracles;
using Xunit.Abstractions;

namespace MLNetQuant.Tests.Algorithms;

/// <summary>The kernel on Gram matrices gives what the papers' iterations give on the rows, on random problems.</summary>
public class GramFormTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(InputOrder.Natural)]
    [InlineData(InputOrder.Descending)]
    public void Gpfq(InputOrder order) => RandomProblems.Compare(output, 1, (data, problem, grid) =>
    {
        var gpfq = new Gpfq(new() { InputOrder = order });
        return new(
            Transcription.Gpfq(data, grid, data.Order(order)),
            RecordingRounding.Follow(gpfq.Prepare(problem, new()), grid),
            gpfq);
    });

    [Fact]
    public void Msq() => RandomProblems.Compare(output, 3, (data, problem, grid) =>
    {
        var msq = new Msq();
        return new(Transcription.Msq(data, grid), RecordingRounding.Follow(msq.Prepare(problem, new()), grid), msq);
    });

    [Fact]
    public void Spfq_of_order_1() => RandomProblems.Compare(output, 2, (data, problem, grid) =>
    {
        var spfq = new Spfq(new() { Rounding = SpfqRounding.Nearest });
        return new(
            Transcription.SpfqPhase2(data, Transcription.SpfqPhase1(data, order: 1), grid),
            RecordingRounding.Follow(spfq.Prepare(problem, new()), grid),
            spfq);
    });

    [Theory]
    [InlineData(2, 0.0)]
    [InlineData(2, 0.01)]
    [InlineData(4, 0.1)]
    public void Spfq_of_higher_order_with_and_without_damping(int order, double damping) =>
        RandomProblems.Compare(output, 10 + order, (data, problem, grid) =>
        {
            var expected = Transcription.SpfqPhase1(data, order, data.Lambda(damping));
            var spfq = new Spfq(new() { Order = order, Damping = damping, Rounding = SpfqRounding.Nearest });
            Near.Equal(expected, Matrices.Unwrap(spfq.Align(problem, new())), 1e-9 * (1 + expected.Cast<double>().Max(Math.Abs)));
            return new(
                Transcription.SpfqPhase2(data, expected, grid),
                RecordingRounding.Follow(spfq.Prepare(problem, new()), grid),
                spfq);
        });

    [Theory]
    [InlineData(InputOrder.Natural, 0.01)]
    [InlineData(InputOrder.Descending, 0.01)]
    [InlineData(InputOrder.Descending, 0.3)]
    public void Optq(InputOrder order, double damping) => RandomProblems.Compare(output, 20, (data, problem, grid) =>
    {
        var optq = new Optq(new() { InputOrder = order, Damping = damping });
        return new(
            LeastSquaresTranscription.Optq(data, grid, data.Lambda(damping), data.Order(order)),
            RecordingRounding.Follow(optq.Prepare(problem, new()), grid),
            optq);
    });

    [Theory]
    [InlineData(QronosForm.Original, InputOrder.Natural, 0.01)]
    [InlineData(QronosForm.Original, InputOrder.Descending, 0.1)]
    [InlineData(QronosForm.LeastSquares, InputOrder.Natural, 0.1)]
    [InlineData(QronosForm.LeastSquares, InputOrder.Descending, 0.01)]
    public void Qronos(QronosForm form, InputOrder order, double damping) => RandomProblems.Compare(output, 30, (data, problem, grid) =>
    {
        var lambda = data.Lambda(damping);
        var start = form == QronosForm.Original ? null : LeastSquaresTranscription.Aligned(data, lambda);
        var qronos = new Qronos(new() { Form = form, InputOrder = order, Damping = damping });
        return new(
            LeastSquaresTranscription.Qronos(data, grid, lambda, data.Order(order), start),
            RecordingRounding.Follow(qronos.Prepare(problem, new()), grid),
            qronos);
    });
}
