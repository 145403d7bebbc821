namespace MLNetQuant.Numerics;

/// <summary>A dense matrix, row-major, over one array.</summary>
/// <typeparam name="T">The element type: <see cref="float"/>, <see cref="double"/> or <see cref="sbyte"/> here.</typeparam>
public sealed class Matrix<T> where T : unmanaged
{
    /// <summary>A matrix of zeros.</summary>
    /// <param name="rows">Number of rows, zero or more.</param>
    /// <param name="columns">Number of columns, zero or more.</param>
    /// <exception cref="ArgumentException">A negative size, or more elements than one array can hold.</exception>
    public Matrix(int rows, int columns) : this(rows, columns, new T[Length(rows, columns)])
    {
    }

    /// <summary>A matrix over an existing array, which is not copied.</summary>
    /// <param name="rows">Number of rows, zero or more.</param>
    /// <param name="columns">Number of columns, zero or more.</param>
    /// <param name="data">Exactly <paramref name="rows"/> × <paramref name="columns"/> elements, row by row.</param>
    /// <exception cref="ArgumentException">A negative size, or an array of another length.</exception>
    public Matrix(int rows, int columns, T[] data)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (Length(rows, columns) != data.Length)
        {
            throw new ArgumentException(
                $"A {rows}×{columns} matrix needs {(long)rows * columns} elements, but the array holds {data.Length}.",
                nameof(data));
        }

        Rows = rows;
        Columns = columns;
        Data = data;
    }

    /// <summary>Number of rows.</summary>
    public int Rows { get; }

    /// <summary>Number of columns.</summary>
    public int Columns { get; }

    /// <summary>The elements, row by row; writing to it writes to the matrix.</summary>
    public T[] Data { get; }

    /// <summary>The element at a row and a column, both counted from zero.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such row or column.</exception>
    public ref T this[int row, int column]
    {
        get
        {
            if ((uint)row >= (uint)Rows || (uint)column >= (uint)Columns)
                throw Outside(row, column);
            return ref Data[(row * Columns) + column];
        }
    }

    /// <summary>One row, as a view of the data.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such row.</exception>
    public Span<T> Row(int row) =>
        (uint)row < (uint)Rows ? Data.AsSpan(row * Columns, Columns) : throw Outside(row, 0);

    /// <summary>A copy with its own array.</summary>
    public Matrix<T> Clone() => new(Rows, Columns, (T[])Data.Clone());

    /// <summary>The transposed matrix, with its own array.</summary>
    public Matrix<T> Transpose()
    {
        const int Block = 32; // both sides of a block stay in the first-level cache
        var result = new Matrix<T>(Columns, Rows);
        for (var row0 = 0; row0 < Rows; row0 += Block)
        {
            for (var column0 = 0; column0 < Columns; column0 += Block)
            {
                var rowEnd = Math.Min(Rows, row0 + Block);
                var columnEnd = Math.Min(Columns, column0 + Block);
                for (var row = row0; row < rowEnd; row++)
                {
                    for (var column = column0; column < columnEnd; column++)
                        result.Data[(column * Rows) + row] = Data[(row * Columns) + column];
                }
            }
        }

        return result;
    }

    /// <summary>Columns <paramref name="start"/> to <paramref name="start"/> + <paramref name="count"/> − 1, copied.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the matrix.</exception>
    public Matrix<T> SelectColumns(int start, int count)
    {
        if (start < 0 || count < 0 || start > Columns - count)
        {
            throw new ArgumentOutOfRangeException(
                nameof(start),
                $"Columns {start} to {(long)start + count - 1} are not all within a {Rows}×{Columns} matrix.");
        }

        var result = new Matrix<T>(Rows, count);
        for (var row = 0; row < Rows; row++)
            Row(row).Slice(start, count).CopyTo(result.Row(row));
        return result;
    }

    private static int Length(int rows, int columns)
    {
        if (rows < 0 || columns < 0)
            throw new ArgumentException($"A matrix cannot have {rows} rows and {columns} columns; both must be zero or more.");
        var length = (long)rows * columns;
        return length <= Array.MaxLength
            ? (int)length
            : throw new ArgumentException($"A {rows}×{columns} matrix has more elements than one array can hold ({Array.MaxLength}).");
    }

    private ArgumentOutOfRangeException Outside(int row, int column) =>
        new(nameof(row), $"Row {row}, column {column} is outside a {Rows}×{Columns} matrix.");
}
