using MLNetQuant.Numerics;

namespace MLNetQuant.Algorithms;

/// <summary>The matrix A of a <see cref="KernelWalk"/>, column by column, each padded with zeros to whole vectors.</summary>
internal sealed unsafe class WalkConstraints : IDisposable
{
    private const int Lanes = 8; // doubles of a 512-bit vector
    private readonly AlignedBuffer<double> _columns;

    /// <param name="transposed">Aᵀ: one row per weight, one column per constraint.</param>
    public WalkConstraints(Matrix<double> transposed)
    {
        (Inputs, Count) = (transposed.Rows, transposed.Columns);
        Stride = Math.Max(1, (Count + Lanes - 1) / Lanes) * Lanes;
        _columns = new((long)Inputs * Stride);
        for (var t = 0; t < Inputs; t++)
            transposed.Row(t).CopyTo(new Span<double>(Column(t), Count));
    }

    /// <summary>r: rows of A.</summary>
    public int Count { get; }

    /// <summary>N: columns of A.</summary>
    public int Inputs { get; }

    /// <summary>r rounded up to whole vectors.</summary>
    public int Stride { get; }

    /// <summary>Column t of A, aligned, <see cref="Stride"/> numbers.</summary>
    public double* Column(int t) => _columns.Pointer + ((long)t * Stride);

    public void Dispose() => _columns.Dispose();
}
