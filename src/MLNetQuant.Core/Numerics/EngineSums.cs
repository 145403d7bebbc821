namespace MLNetQuant.Numerics;

/// <summary>
/// A block of rows to which an engine adds products: single precision within a run of the inner dimension, double over
/// the runs.
/// </summary>
internal sealed class EngineSums
{
    private const int Run = 1024; // the longest sum in single precision

    private readonly IMatrixProduct _product;
    private readonly int _threads;
    private readonly CancellationToken _cancellationToken;
    private readonly Matrix<double> _sums;
    private readonly float[] _left;
    private readonly float[] _result;
    private int _first;
    private int _count;

    /// <param name="product">The engine.</param>
    /// <param name="rows">Rows of a block at most.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="threads">For all but the products: zero for all processors.</param>
    /// <param name="cancellationToken">Looked at between products.</param>
    public EngineSums(IMatrixProduct product, int rows, int columns, int threads, CancellationToken cancellationToken)
    {
        (_product, _threads, _cancellationToken) = (product, threads, cancellationToken);
        _sums = new(rows, columns);
        _left = GC.AllocateUninitializedArray<float>(rows * Run);
        _result = GC.AllocateUninitializedArray<float>(rows * columns);
    }

    /// <summary>Number of columns.</summary>
    public int Columns => _sums.Columns;

    /// <summary>A row of the left operand from a column on, narrowed.</summary>
    public delegate void LeftRow(int row, int firstColumn, Span<float> values);

    /// <summary>The sums of a row, counted from the first of the block.</summary>
    public Span<double> Row(int row) => _sums.Row(row);

    /// <summary>Begins a block with the rows of a matrix.</summary>
    public void Start(Matrix<double> initial, int first, int end)
    {
        (_first, _count) = (first, end - first);
        Workers.For(_count, _threads, row => initial.Row(first + row).CopyTo(_sums.Row(row)), _cancellationToken);
    }

    /// <summary>Adds left[block, 0..inner) · right.</summary>
    /// <param name="left">The left operand.</param>
    /// <param name="right">At least inner × columns, row-major.</param>
    /// <param name="inner">Rows of <paramref name="right"/> that take part.</param>
    public void Add(LeftRow left, float[] right, int inner)
    {
        for (var start = 0; start < inner; start += Run)
        {
            _cancellationToken.ThrowIfCancellationRequested();
            var (from, depth) = (start, Math.Min(Run, inner - start));
            Workers.For(_count, _threads, row => left(_first + row, from, _left.AsSpan(row * depth, depth)), _cancellationToken);
            _product.Multiply(
                _left.AsSpan(0, _count * depth),
                right.AsSpan(from * Columns, depth * Columns),
                _count,
                depth,
                Columns,
                _result.AsSpan(0, _count * Columns));
            Workers.For(_count, _threads, row => WideSums.Add(_result.AsSpan(row * Columns, Columns), _sums.Row(row)), _cancellationToken);
        }
    }
}
