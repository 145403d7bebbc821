using MLNetQuant.Onnx.Layers;

namespace MLNetQuant.Onnx.Calibration;

/// <summary>What the statistics of a layer take in memory.</summary>
internal static class StatisticsMemory
{
    /// <summary>Matrices of inputs × inputs in double precision that no algorithm does without: H and its factor.</summary>
    private const int LeastMatrices = 2;

    /// <summary>Those that are alive at once with rows held back: H of the rows to fit, to judge and of all, and the factors.</summary>
    private const int MostMatrices = 5;

    /// <summary>Refuses layers whose statistics cannot be held, before any calibration.</summary>
    /// <exception cref="QuantizationException">There is such a layer.</exception>
    public static void RefuseTooWide(IReadOnlyList<ILayer> layers) => RefuseTooWide(layers, FreeMemory.Bytes());

    /// <param name="layers">The layers to quantize.</param>
    /// <param name="free">Bytes of memory that are free.</param>
    internal static void RefuseTooWide(IReadOnlyList<ILayer> layers, long free)
    {
        foreach (var layer in layers.Where(l => l.ReadsRows))
        {
            var matrix = (long)layer.Layout.Inputs * layer.Layout.Inputs;
            if (matrix > Array.MaxLength)
            {
                throw new QuantizationException(
                    $"The layer '{layer.Node.Name}' has {layer.Layout.Inputs} inputs, and statistics are kept of up to {(int)Math.Sqrt(Array.MaxLength)}: exclude the layer.");
            }

            var bytes = LeastMatrices * sizeof(double) * matrix * layer.Layout.Groups;
            if (bytes > free)
            {
                throw new QuantizationException(
                    $"The statistics of layer '{layer.Node.Name}' with {layer.Layout.Inputs} inputs take {Megabytes(bytes)} MB, and {Megabytes(free)} MB of memory are free: exclude the layer, or give the process more memory.");
            }
        }
    }

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

    private static long Megabytes(long bytes) => bytes / 1_000_000;
}
