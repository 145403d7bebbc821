using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML.OnnxRuntime.Tensors;
using MLNetQuant.Cli.Data;
using MLNetQuant.Onnx;

namespace MLNetQuant.Cli.Tests.Data;

public class NpyReaderTests
{
    [Fact]
    public void Reads_the_bytes_that_numpy_itself_writes()
    {
        // numpy.save of numpy.array([[1.5, -2.0]], dtype='<f4'), byte for byte.
        byte[] bytes =
        [
            .. Convert.FromHexString("934E554D5059010076007B276465736372273A20273C6634272C2027666F727472616E5F6F72646572273A2046616C73652C20277368617065273A2028312C2032292C207D"),
            .. Enumerable.Repeat((byte)' ', 58), (byte)'\n',
            0x00, 0x00, 0xC0, 0x3F, 0x00, 0x00, 0x00, 0xC0,
        ];

        var tensor = Read(bytes);

        Assert.Equal(TensorElementType.Float, tensor.ElementType);
        Assert.Equal([1, 2], tensor.Shape);
        Assert.Equal([1.5f, -2f], tensor.Values<float>().ToArray());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Reads_every_version(byte version)
    {
        var tensor = Read(NpyBytes.Of("|u1", "2, 3", [1, 2, 3, 4, 5, 6], version));

        Assert.Equal([2, 3], tensor.Shape);
        Assert.Equal([1, 2, 3, 4, 5, 6], tensor.Values<byte>().ToArray());
    }

    [Fact]
    public void Reads_every_number_type()
    {
        Check("<f4", TensorElementType.Float, [1.25f, float.MinValue]);
        Check("<f8", TensorElementType.Double, [1.25, double.MinValue]);
        Check("|i1", TensorElementType.Int8, [(sbyte)-1, sbyte.MinValue]);
        Check("<i2", TensorElementType.Int16, [(short)-2, short.MinValue]);
        Check("<i4", TensorElementType.Int32, [-3, int.MinValue]);
        Check("<i8", TensorElementType.Int64, [-4, long.MinValue]);
        Check("|u1", TensorElementType.UInt8, [(byte)1, byte.MaxValue]);
        Check("<u2", TensorElementType.UInt16, [(ushort)2, ushort.MaxValue]);
        Check("<u4", TensorElementType.UInt32, [3u, uint.MaxValue]);
        Check("<u8", TensorElementType.UInt64, [4ul, ulong.MaxValue]);
        Check("|b1", TensorElementType.Bool, [true, false]);

        static void Check<T>(string descr, TensorElementType type, T[] values)
            where T : unmanaged
        {
            var tensor = Read(NpyBytes.Of(descr, "2", MemoryMarshal.AsBytes(values.AsSpan())));
            Assert.Equal(type, tensor.ElementType);
            Assert.Equal([2], tensor.Shape);
            Assert.Equal(values, tensor.Values<T>().ToArray());
        }
    }

    [Fact]
    public void Reads_a_scalar_and_an_array_without_rows()
    {
        var scalar = Read(NpyBytes.Of("<i8", "", BitConverter.GetBytes(16000L)));
        Assert.Empty(scalar.Shape);
        Assert.Equal([16000L], scalar.Values<long>().ToArray());

        var empty = Read(NpyBytes.Of("<f4", "0, 784", []));
        Assert.Equal([0, 784], empty.Shape);
        Assert.Equal(0, empty.Length);
    }

    [Fact]
    public void Reads_a_header_with_other_quotes_spacing_and_order_of_keys()
    {
        var tensor = Read(NpyBytes.OfHeader("""{"shape":(2,),"fortran_order":False,"descr":"|u1"}""", [7, 8]));

        Assert.Equal([7, 8], tensor.Values<byte>().ToArray());
    }

    [Theory]
    [InlineData("<f2", "is of type float16: save it with astype('float32').")]
    [InlineData(">f4", "is big-endian ('>f4'): save it with astype('<f4').")]
    [InlineData("|O", "holds Python objects: save an array of numbers.")]
    [InlineData("<U5", "is of type '<U5': save it as float32, float64, bool, or whole numbers of 8 to 64 bits.")]
    [InlineData("<c8", "is of type '<c8': save it as float32, float64, bool, or whole numbers of 8 to 64 bits.")]
    [InlineData("<M8[ns]", "is of type '<M8[ns]': save it as float32, float64, bool, or whole numbers of 8 to 64 bits.")]
    public void Refuses_other_types(string descr, string rest) =>
        Refuses(NpyBytes.Of(descr, "1", new byte[32]), $"The array 'x.npy' {rest}");

    [Fact]
    public void Refuses_records() => Refuses(
        NpyBytes.OfHeader("{'descr': [('a', '<f4'), ('b', '<i4')], 'fortran_order': False, 'shape': (1,), }", new byte[8]),
        "The array 'x.npy' has records for elements: save each field as an array of its own.");

    [Fact]
    public void Refuses_Fortran_order() => Refuses(
        NpyBytes.Of("<f4", "2, 2", new byte[16], fortran: true),
        "The array 'x.npy' is in Fortran order: save numpy.ascontiguousarray of it.");

    [Fact]
    public void Refuses_an_empty_file() => Refuses([], "The array 'x.npy' is empty: write it with numpy.save.");

    [Theory]
    [InlineData("0.1, 0.2, 0.3")]
    [InlineData("a,b")]
    public void Refuses_another_format(string text) => Refuses(
        Encoding.ASCII.GetBytes(text), "The array 'x.npy' is not in NumPy's format: write it with numpy.save.");

    [Theory]
    [InlineData(0, 0)]
    [InlineData(4, 0)]
    [InlineData(1, 1)]
    public void Refuses_another_version(byte major, byte minor)
    {
        var bytes = NpyBytes.Of("|u1", "1", [1]);
        (bytes[6], bytes[7]) = (major, minor);
        Refuses(bytes, $"The array 'x.npy' has version {major}.{minor} of NumPy's format: save it as version 1.0, 2.0 or 3.0.");
    }

    [Theory]
    [InlineData(4)]
    [InlineData(9)]
    [InlineData(40)]
    public void Refuses_a_truncated_header(int length) => Refuses(
        NpyBytes.Of("<f4", "2, 3", new byte[24])[..length],
        "The array 'x.npy' is truncated: it ends within its header; write or copy it again.");

    [Fact]
    public void Refuses_truncated_elements() => Refuses(
        NpyBytes.Of("<f4", "2, 3", new byte[23]),
        "The array 'x.npy' is truncated: its shape (2, 3) takes 24 bytes and 23 are there; write or copy it again.");

    [Fact]
    public void Refuses_a_shape_beyond_memory_before_asking_for_it() => Refuses(
        NpyBytes.Of("<f4", "9223372036854775807, 9223372036854775807", []),
        $"The array 'x.npy' has more than {Array.MaxLength} elements: save fewer rows.");

    [Theory]
    [InlineData("{'fortran_order': False, 'shape': (1,), }")]
    [InlineData("{'descr': '|u1', 'shape': (1,), }")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, }")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (-1,), }")]
    [InlineData("{'descr': '|u1', 'fortran_order': False, 'shape': (1L,), }")]
    public void Refuses_a_broken_header(string dictionary) => Refuses(
        NpyBytes.OfHeader(dictionary, [1]), "The array 'x.npy' has a header that cannot be read: write it with numpy.save.");

    [Fact]
    public void Refuses_a_header_whose_length_is_nonsense()
    {
        var bytes = NpyBytes.Of("|u1", "1", [1], version: 2);
        bytes[11] = 0x7F;
        Refuses(bytes, "The array 'x.npy' has a header that cannot be read: write it with numpy.save.");
    }

    private static OnnxTensor Read(byte[] bytes)
    {
        using var stream = new MemoryStream(bytes);
        return NpyReader.Read(stream, bytes.Length, "x.npy");
    }

    private static void Refuses(byte[] bytes, string sentence) =>
        Assert.Equal(sentence, Assert.Throws<QuantizationException>(() => Read(bytes)).Message);
}
