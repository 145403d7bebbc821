using MLNetQuant.Onnx.Calibration;

namespace MLNetQuant.Onnx.Tests.Calibration;

[Collection("Temporary files")]
public sealed class TensorStoreTests : IDisposable
{
    private TensorStore _store = new(budget: 100);

    [Fact]
    public void Tensors_within_the_budget_need_no_folder()
    {
        var tensor = OnnxTensor.Create(new float[25], 25);
        Assert.Same(tensor, _store.Add(tensor).Read());
        Assert.Null(_store.Folder);
        Assert.Equal(100, _store.BytesInMemory);
    }

    [Fact]
    public void Beyond_the_budget_the_largest_go_first()
    {
        var (small, large, medium) = (_store.Add(Floats(5)), _store.Add(Floats(15)), _store.Add(Floats(10)));
        Assert.Equal((false, true, false), (small.File is not null, large.File is not null, medium.File is not null));
        Assert.Equal((60, 60), (_store.BytesInMemory, _store.BytesSpilled));
        Assert.Equal(60, new FileInfo(large.File!).Length);
        var huge = _store.Add(Floats(30));
        Assert.Equal((false, true, false), (small.File is not null, huge.File is not null, medium.File is not null));
        Assert.Equal(60, _store.BytesInMemory);
    }

    [Fact]
    public void What_comes_back_is_what_went_in()
    {
        _store = new(budget: 0);
        Check(float.NaN, -0f, 1.5f);
        Check(double.Epsilon, -3);
        Check(true, false, true);
        Check(long.MinValue, 5);
        Check(ulong.MaxValue);
        Check(int.MinValue, 7);
        Check(uint.MaxValue);
        Check(short.MinValue);
        Check(ushort.MaxValue);
        Check(sbyte.MinValue);
        Check<byte>(255, 1, 2);
        Check<float>();

        void Check<T>(params T[] values)
            where T : unmanaged
        {
            var stored = _store.Add(OnnxTensor.Create(values, 1, values.Length));
            Assert.Equal(values.Length > 0, stored.File is not null);
            var read = stored.Read();
            Assert.Equal([1, values.Length], read.Shape);
            Assert.Equal(values, read.Values<T>().ToArray());
        }
    }

    [Fact]
    public void What_is_not_retained_is_gone_from_memory_and_disk()
    {
        var (first, second, third) = (_store.Add(Floats(20)), _store.Add(Floats(20)), _store.Add(Floats(1)));
        Assert.Single(Directory.GetFiles(_store.Folder!));
        _store.Retain([third, first.File is null ? first : second]);
        Assert.Empty(Directory.GetFiles(_store.Folder!));
        Assert.Equal(84, _store.BytesInMemory);
        _store.Retain([]);
        Assert.Equal(0, _store.BytesInMemory);
    }

    [Fact]
    public void Its_folder_goes_with_it()
    {
        _store.Add(Floats(50));
        var folder = _store.Folder!;
        Assert.StartsWith(Path.Combine(Path.GetTempPath(), $"mlnetquant-{Environment.ProcessId}-"), folder, StringComparison.Ordinal);
        Assert.True(Directory.Exists(folder));
        _store.Dispose();
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public void A_folder_that_vanished_is_said_so()
    {
        var stored = _store.Add(Floats(50));
        Directory.Delete(_store.Folder!, recursive: true);
        Assert.Contains("leave it alone", Assert.Throws<QuantizationException>(stored.Read).Message, StringComparison.Ordinal);
        Assert.Contains("raise the memory budget", Assert.Throws<QuantizationException>(() => _store.Add(Floats(50))).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _store.Dispose();

    private static OnnxTensor Floats(int count) => OnnxTensor.Create(new float[count], count);
}
