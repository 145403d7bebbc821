namespace MLNetQuant.Tests.Oracles;

/// <summary>
/// The grid of the GPTQ code for one channel, as its formulas stand: codes 0 to 2^b − 1, q = clip(round(x/s) + z),
/// value s(q − z), ties to even.
/// </summary>
internal sealed record GptqGrid(int Bits, double Scale, double Zero)
{
    private double Greatest => Math.Pow(2, Bits) - 1;

    public static GptqGrid Symmetric(double[] x, int bits)
    {
        var greatest = x.Max(Math.Abs);
        return new(bits, 2 * greatest / (Math.Pow(2, bits) - 1), Math.Pow(2, bits - 1));
    }

    public static GptqGrid Asymmetric(double[] x, int bits, double shrink = 1)
    {
        var (least, greatest) = (shrink * Math.Min(0, x.Min()), shrink * Math.Max(0, x.Max()));
        var scale = (greatest - least) / (Math.Pow(2, bits) - 1);
        return new(bits, scale, Math.Round(-least / scale));
    }

    public static GptqGrid Searched(double[] x, int bits) =>
        Enumerable.Range(0, 80).Select(i => Asymmetric(x, bits, 1 - (i / 100.0))).MinBy(grid => grid.Loss(x))!;

    public double Loss(double[] x) => x.Sum(v => Math.Pow(Math.Abs(Value(v) - v), 2.4));

    public double Value(double x) => Scale * (Math.Clamp(Math.Round(x / Scale) + Zero, 0, Greatest) - Zero);
}
