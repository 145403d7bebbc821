using MLNetQuant.Onnx.Layers;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>What the statistics of a layer take in memory.</summary>
internal static class StatisticsMemory
{
    /// <summary>Matrices of inputs × inputs in double precision that no algorithm does without: H and its factor.</summary>
    private const int LeastMatrices = 2;

    /// <summary>Those that are alive at once with rows held back: H of the rows to fit, to judge and of all, and the factors.</summary>
    private const int MostMatrices = 5;

    /// <summary>Copies of a number of X or X̃ that are alive at once where the rows are kept: in single precision the rows to
    /// fit, to judge and of all, as they are and less their means; in double precision what the path on rows makes of them.</summary>
    private const int CopiesOfRows = 6;

    /// <summary>Bytes of the matrices of inputs × inputs that a layer needs at least.</summary>
    public static long OfMatrices(ILayer layer) =>
        LeastMatrices * sizeof(double) * (long)layer.Layout.Inputs * layer.Layout.Inputs * layer.Layout.Groups;

    /// <summary>Bytes of one row where the rows are kept.</summary>
    public static long OfRow(ILayer layer) =>
        CopiesOfRows * (sizeof(float) + sizeof(double)) * (long)layer.Layout.Groups * (layer.Layout.Inputs + layer.Layout.Outputs);

    /// <summary>Bytes of a layer's statistics, its unfolded rows and what rounding needs beside them.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="rows">Rows that the statistics are made of.</param>
    /// <param name="crossGram">Whether G is kept beside H.</param>
    public static long Bytes(ILayer layer, int rows, bool crossGram)
    {
        long inputs = layer.Layout.Inputs, outputs = layer.Layout.Outputs, groups = layer.Layout.Groups;
        var matrices = sizeof(double) * groups * inputs * ((inputs * (MostMatrices + (crossGram ? 3 : 0))) + (3 * outputs));
        var unfolded = sizeof(float) * groups * Math.Min(rows, 4096) * ((2 * inputs) + outputs);
        var kept = rows < inputs ? sizeof(float) * groups * rows * ((2 * inputs) + outputs) : 0;
        return matrices + unfolded + kept;
    }

    /// <summary>Bytes that a table, or a layer without rows, takes while it is rounded: its weights as they stand and by groups,
    /// what their codes stand for, and the codes, once more with zero points.</summary>
    public static long OfTable(ILayer layer) => layer.Layout.Count * ((3 * sizeof(float)) + (2 * sizeof(sbyte)));

    /// <summary>Bytes of a layer whose rows alone are kept: these, its weights in double precision and the path.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="rows">Rows that are kept.</param>
    public static long OfRowsAlone(ILayer layer, int rows) => (rows * OfRow(layer)) + (layer.Layout.Count * ((3 * sizeof(double)) + (2 * sizeof(float))));
}
