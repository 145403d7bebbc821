using Microsoft.ML;
using MLNetQuant.Tests.Data;

namespace MLNetQuant.Tests.Batching;

/// <summary>A file of a shared model, what scores it in batches, and what ML.NET's own step makes of its rows.</summary>
internal sealed class SharedForm : IDisposable
{
    /// <summary>As many rows as there are; tests take the first ones.</summary>
    public const int Count = 257;

    private readonly MLContext _ml;
    private readonly string _model;
    private readonly string _file;
    private readonly bool _isInteger;
    private readonly List<object[]> _expected;

    /// <param name="ml">The context.</param>
    /// <param name="model">The model's name.</param>
    /// <param name="file">The model's file.</param>
    /// <param name="quantized">The transformer that wrote it; null for the float model.</param>
    /// <param name="isInteger">Whether it computes in integers, so that the last digit of a sum may decide which way an activation is rounded.</param>
    public SharedForm(MLContext ml, string model, string file, WeightQuantizingTransformer? quantized, bool isInteger)
    {
        (_ml, _model, _file, _isInteger) = (ml, model, file, isInteger);
        var rows = Rows(Count);

        // ML.NET scores rows on all cores at once; threads of ONNX Runtime would only wait for each other.
        var rowByRow = SharedRows.Open(model, file, ml, rows, threads: 1);
        Output = rowByRow.GetOutputSchema(rows.Schema)[^1].Name;
        _expected = RowValues.Of(rowByRow.Transform(rows), Columns);
        (rowByRow as IDisposable)?.Dispose();
        Transformer = (ITransformer?)quantized ?? Fresh(batchSize: 256);
    }

    /// <summary>The model's only output.</summary>
    public string Output { get; }

    /// <summary>The columns that rows are compared by.</summary>
    public string[] Columns => ["Number", Output];

    /// <summary>The quantized transformer; for the float model the batched step.</summary>
    public ITransformer Transformer { get; }

    /// <summary>Whether the model takes one row at a time.</summary>
    public bool IsFixed => _model == "mnist_cntk";

    /// <summary>The first rows.</summary>
    public IDataView Rows(int count) => SharedRows.For(_model, _ml, count);

    /// <summary>The model in batches, of which none has run.</summary>
    public BatchedOnnxTransformer Fresh(int batchSize) => _ml.Transforms.ApplyOnnxModelBatched(
        new BatchedOnnxOptions { ModelFile = _file, ShapeDictionary = SharedRows.ShapesOf(_model), BatchSize = batchSize }).Fit(Rows(1));

    /// <summary>Rows are the first ones that row-by-row scoring gives.</summary>
    /// <param name="count">How many.</param>
    /// <param name="actual">The rows.</param>
    /// <param name="columns">Which of <see cref="Columns"/> they have, in which order; none for all.</param>
    public void AssertFirst(int count, IReadOnlyList<object[]> actual, params string[] columns)
    {
        // Position and id come first.
        int[] places = [0, 1, .. (columns.Length == 0 ? Columns : columns).Select(c => 2 + Array.IndexOf(Columns, c))];
        object[][] expected = [.. _expected.Take(count).Select(row => Array.ConvertAll(places, p => row[p]))];

        // ONNX Runtime's ReduceSum adds up a row that is alone in another order. In this model that decides how some activations
        // are rounded, and moves 33 of 257 rows by more than 0.00001 of the largest probability, one by 0.0008.
        RowValues.AssertNear(expected, actual, _isInteger && _model == "magika_v3_3" ? 1e-3f : 1e-5f);
    }

    /// <summary>Rows were scored in batches, or alone where the model wants it, which it says.</summary>
    public void AssertScoring(BatchedStep scoring)
    {
        if (IsFixed)
            Assert.Contains("the input 'Input3' (Float[1,1,28,28]) has a fixed first axis", scoring.RowByRowReason, StringComparison.Ordinal);
        else
            Assert.Null(scoring.RowByRowReason);
        if (_isInteger)
            Assert.EndsWith("may move a score by a step.", scoring.Remark, StringComparison.Ordinal);
    }

    public void Dispose() => (Transformer as IDisposable)?.Dispose();
}
