using System.Runtime.InteropServices;
using System.Text;

namespace MLNetQuant.PublicApi.Tests;

/// <summary>
/// A small ONNX file, x [N, inputs] → MatMul W1 → Relu → MatMul W2 → y, written field by field as onnx.proto numbers
/// them: a user has no other access to the format.
/// </summary>
internal static class OnnxBytes
{
    private const int Float = 1; // TensorProto.DataType

    public static byte[] TwoLayers(float[,] w1, float[,] w2) => Message(
        Number(1, 8), // ir_version
        Nested(8, Text(1, ""), Number(2, 17)), // opset_import
        Nested(
            7, // graph
            Node("first", "MatMul", ["x", "W1"], "h"),
            Node("relu", "Relu", ["h"], "r"),
            Node("second", "MatMul", ["r", "W2"], "y"),
            Text(2, "graph"),
            Initializer("W1", w1),
            Initializer("W2", w2),
            Value(11, "x", w1.GetLength(0)),
            Value(12, "y", w2.GetLength(1))));

    private static byte[] Node(string name, string op, string[] inputs, string output) =>
        Nested(1, [.. inputs.Select(i => Text(1, i)), Text(2, output), Text(3, name), Text(4, op)]);

    private static byte[] Initializer(string name, float[,] values) => Nested(
        5,
        Number(1, values.GetLength(0)),
        Number(1, values.GetLength(1)),
        Number(2, Float),
        Text(8, name),
        Bytes(9, MemoryMarshal.AsBytes<float>(values.Cast<float>().ToArray())));

    private static byte[] Value(int field, string name, int width) => Nested(
        field,
        Text(1, name),
        Nested(2, Nested(1, Number(1, Float), Nested(2, Nested(1, Text(2, "N")), Nested(1, Number(1, width))))));

    private static byte[] Nested(int field, params byte[][] parts) => Bytes(field, Message(parts));

    private static byte[] Text(int field, string text) => Bytes(field, Encoding.UTF8.GetBytes(text));

    private static byte[] Number(int field, long value) => [.. Varint(field << 3), .. Varint(value)];

    private static byte[] Bytes(int field, ReadOnlySpan<byte> bytes) => [.. Varint((field << 3) | 2), .. Varint(bytes.Length), .. bytes];

    private static byte[] Message(params byte[][] parts) => [.. parts.SelectMany(p => p)];

    private static List<byte> Varint(long value)
    {
        List<byte> bytes = [];
        for (; value >= 128; value >>= 7)
            bytes.Add((byte)((value & 127) | 128));
        bytes.Add((byte)value);
        return bytes;
    }
}
