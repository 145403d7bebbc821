using System.IO.Compression;
using System.Text;
using MLNetQuant.Cli.Data;
using MLNetQuant.Onnx;

namespace MLNetQuant.Cli.Tests.Data;

public sealed class DataFileTests : IDisposable
{
    private static readonly byte[] Array = NpyBytes.Of("|u1", "2", [5, 6]);
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_single_array_goes_to_the_only_input()
    {
        var data = DataFile.Read(_folder.Write("x.npy", Array), Model("image"));

        Assert.Equal([5, 6], Assert.Single(data.Inputs, i => i.Key == "image").Value.Values<byte>().ToArray());
    }

    [Fact]
    public void A_single_array_is_refused_by_a_model_with_several_inputs()
    {
        var file = _folder.Write("x.npy", Array);

        var error = Assert.Throws<QuantizationException>(() => DataFile.Read(file, Model("ids", "mask")));

        Assert.Equal(
            $"The data file '{file}' is a single array and the model 'm.onnx' has 2 inputs (ids, mask): give an .npz with an array for each.",
            error.Message);
    }

    [Fact]
    public void The_content_decides_about_the_format_and_not_the_name()
    {
        using (var zip = ZipFile.Open(_folder["x.npy"], ZipArchiveMode.Create))
        {
            foreach (var name in (string[])["mask", "ids"])
            {
                using var entry = zip.CreateEntry($"{name}.npy").Open();
                entry.Write(Array);
            }
        }

        var data = DataFile.Read(_folder["x.npy"], Model("ids", "mask"));

        Assert.Equal(["ids", "mask"], data.Inputs.Keys);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>A model that adds its inputs up, written field by field after onnx.proto.</summary>
    private static OnnxModel Model(params string[] inputs)
    {
        byte[] node = [.. inputs.SelectMany(i => Field(1, Encoding.UTF8.GetBytes(i))), .. Field(2, "sum"u8), .. Field(4, "Sum"u8)];
        byte[] graph =
        [
            .. Field(1, node),
            .. inputs.SelectMany(i => Field(11, Field(1, Encoding.UTF8.GetBytes(i)))),
            .. Field(12, Field(1, "sum"u8)),
        ];
        const byte IrVersion = 8, OpsetVersion = 13;
        return OnnxModel.Parse([0x08, IrVersion, .. Field(7, graph), .. Field(8, [0x10, OpsetVersion])], "m.onnx");
    }

    private static byte[] Field(int number, ReadOnlySpan<byte> content) => [(byte)((number << 3) | 2), (byte)content.Length, .. content];
}
