namespace MLNetQuant.Statistics;

/// <summary>A calibration value that is NaN, infinite, or too large for sums of squares in single precision.</summary>
public sealed class NonFiniteInputException : NotFiniteNumberException
{
    /// <summary>An exception that names the place.</summary>
    /// <param name="row">Number of the row since accumulation began, from zero.</param>
    /// <param name="column">Number of the column: the layer's input, from zero.</param>
    /// <param name="value">The value found there.</param>
    public NonFiniteInputException(long row, int column, float value)
        : base($"The calibration value in row {row}, column {column} is {value}; it must be finite and below {LayerStatisticsAccumulator.LargestValue:0E+0} in size.", value)
    {
        Row = row;
        Column = column;
    }

    /// <summary>Number of the row since accumulation began, from zero.</summary>
    public long Row { get; }

    /// <summary>Number of the column: the layer's input, from zero.</summary>
    public int Column { get; }
}
