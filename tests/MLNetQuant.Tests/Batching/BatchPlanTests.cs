using MLNetQuant.Batching;

namespace MLNetQuant.Tests.Batching;

public sealed class BatchPlanTests
{
    [Theory]
    [InlineData(1024, 1, 1, 1024, 1, null)]
    [InlineData(1024, 2, 8, 128, 2, 1)]
    [InlineData(1024, 16, 32, 32, 16, 1)]
    [InlineData(1024, 128, 32, 32, 32, 4)]
    [InlineData(256, 2, 4, 64, 2, 1)]
    [InlineData(256, 64, 8, 32, 8, 8)]
    [InlineData(100, 64, 3, 33, 3, 21)]
    [InlineData(64, 2, 2, 32, 2, 1)]
    [InlineData(63, 64, 1, 63, 1, null)] // two batches would be too small
    [InlineData(1, 64, 1, 1, 1, null)]
    [InlineData(int.MaxValue, 2, 8, 128, 2, 1)]
    [InlineData(int.MaxValue, 1, 1, int.MaxValue, 1, null)]
    public void Rows_are_shared_out_among_processors_in_batches_of_32_to_128(int rows, int processors, int batches, int batchRows, int runs, int? threads)
    {
        var plan = BatchPlan.Of(rows, null, processors);
        Assert.Equal(new(batches, batchRows, runs, threads), plan);
        Assert.InRange((long)plan.Batches * plan.Rows, 1, rows);
    }

    [Theory]
    [InlineData(1, 4, 16)]
    [InlineData(2, 2, 4)]
    [InlineData(3, 1, 1)]
    [InlineData(9, 1, 1)]
    public void Cursors_that_are_read_at_the_same_time_share_the_runs(int cursors, int runs, int batches) =>
        Assert.Equal(new BatchPlan(batches, 100, runs, 2), new BatchPlan(16, 100, 4, 2).Among(cursors));

    [Theory]
    [InlineData(63L, 1, null)]
    [InlineData(64L, 4, 1)]
    [InlineData(null, 4, 1)]
    public void A_few_rows_have_the_machine_to_themselves(long? all, int runs, int? threads)
    {
        var plan = BatchPlan.Of(256, all, 4);
        Assert.Equal((runs, threads), (plan.Runs, plan.Threads));
    }
}
