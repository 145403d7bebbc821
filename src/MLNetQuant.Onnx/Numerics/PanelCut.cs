namespace MLNetQuant.Onnx.Numerics;

/// <summary>Cuts so many columns, or rows, into panels of nearly equal width. Depends on nothing but their number.</summary>
internal readonly record struct PanelCut
{
    // Measured: at 256 columns ONNX Runtime's product is fastest, with both operands of a tile in the cache.
    private const int Widest = 256;
    private const int Narrowest = 64;
    private const int Pieces = 4; // fewer leave processors without work
    private const int Vector = 16;

    private readonly int _columns;
    private readonly int _width;

    /// <param name="columns">Number of columns, at least 1.</param>
    public PanelCut(int columns)
    {
        var widest = Math.Clamp(columns / Pieces, Narrowest, Widest);
        Count = (columns + widest - 1) / widest;
        _width = ((columns + Count - 1) / Count + Vector - 1) / Vector * Vector;
        Count = (columns + _width - 1) / _width;
        _columns = columns;
    }

    /// <summary>Number of panels.</summary>
    public int Count { get; }

    /// <summary>First column of a panel.</summary>
    public int First(int panel) => panel * _width;

    /// <summary>Columns of a panel.</summary>
    public int Width(int panel) => Math.Min(_width, _columns - First(panel));
}
