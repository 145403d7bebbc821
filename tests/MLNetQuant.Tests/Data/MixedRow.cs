using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetQuant.Tests.Data;

/// <summary>An input of a small model beside columns of every type that rows of objects can have.</summary>
internal sealed class MixedRow
{
    [VectorType(4)]
    [ColumnName("x")]
    public float[] X { get; set; } = [];

    public int Number { get; set; }

    public double Real { get; set; }

    public byte Small { get; set; }

    public sbyte Signed { get; set; }

    public short Short { get; set; }

    public ushort Unsigned { get; set; }

    public uint Wide { get; set; }

    public long Long { get; set; }

    public ulong Longest { get; set; }

    public bool Flag { get; set; }

    public string Text { get; set; } = "";

    public DateTime Time { get; set; }

    public DateTimeOffset Offset { get; set; }

    public TimeSpan Span { get; set; }

    public DataViewRowId Id { get; set; }

    [KeyType(1000)]
    public uint Key { get; set; }

    [VectorType(3)]
    public string[] Words { get; set; } = [];

    /// <summary>Of a length that differs from row to row.</summary>
    public long[] Some { get; set; } = [];

    [VectorType(100)]
    public VBuffer<double> Sparse { get; set; }

    public static IDataView View(MLContext ml, int count) => ml.Data.LoadFromEnumerable(Rows(count));

    public static MixedRow[] Rows(int count) => [.. SmallModels(count).Select((x, i) => new MixedRow
    {
        X = x,
        Number = i,
        Real = i / 3.0,
        Small = (byte)i,
        Signed = (sbyte)i,
        Short = (short)-i,
        Unsigned = (ushort)i,
        Wide = (uint)i,
        Long = -i,
        Longest = (ulong)i,
        Flag = i % 3 == 0,
        Text = $"row {i}",
        Time = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddHours(i),
        Offset = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.FromHours(2)).AddHours(i),
        Span = TimeSpan.FromMinutes(i),
        Id = new DataViewRowId((ulong)i, 7),
        Key = (uint)(i % 1000),
        Words = [$"{i}", "", $"{i % 2}"],
        Some = [.. Enumerable.Range(0, i % 5).Select(k => (long)(i + k))],
        Sparse = new VBuffer<double>(100, 2, [i, -i], [i % 50, 50 + (i % 50)]),
    })];

    private static float[][] SmallModels(int count) => Models.SmallModels.Rows(count, 4);
}
