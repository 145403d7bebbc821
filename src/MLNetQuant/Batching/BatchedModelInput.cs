using MLNetQuant.Data;
using MLNetQuant.Onnx;

namespace MLNetQuant.Batching;

/// <summary>An input of a batched model, as its step feeds it row by row.</summary>
internal sealed class BatchedModelInput
{
    private readonly OnnxValueInfo _input;

    /// <param name="input">The input.</param>
    /// <param name="given">The shape that the step was given for it, if any: extents that are not positive are open.</param>
    public BatchedModelInput(OnnxValueInfo input, IReadOnlyList<int>? given)
    {
        _input = input;
        RowByRowReason = FindReason(given);
        if (RowByRowReason is not null)
            return;
        RowShape = given is null ? [.. input.Shape!] : [.. given.Select(d => d > 0 ? d : -1L)];
        RowShape[0] = 1;
    }

    public string Name => _input.Name;

    /// <summary>Type and shape as text.</summary>
    public string Text => _input.Text;

    /// <summary>The tensor of one row: its first extent is 1, others are −1 where a row's length decides.</summary>
    public long[] RowShape { get; } = [];

    /// <summary>Why rows of it cannot be stacked, whatever the column, in one clause; null where they can.</summary>
    public string? RowByRowReason { get; }

    private string? FindReason(IReadOnlyList<int>? given)
    {
        if (ColumnItem.For(_input) is null)
            return $"the input '{Name}' ({Text}) holds no numbers";
        if (_input.Shape is null || _input.Shape.Count == 0)
            return $"the input '{Name}' ({Text}) has no axis for rows";
        if (_input.Shape[0] >= 0)
            return $"the input '{Name}' ({Text}) has a fixed first axis";

        // ML.NET takes −1 in front for one row, and 0 for as many as a vector fills.
        return given is not null && (given.Count != _input.Shape.Count || given[0] is 0 or > 1)
            ? $"the shape given for the input '{Name}' ({Text}) is not that of one row"
            : null;
    }
}
