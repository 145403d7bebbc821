using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetQuant.Tests.Data;

/// <summary>
/// Learns the schema shape of data as estimators see it: ML.NET makes shapes only inside a chain's <c>Fit</c>.
/// </summary>
internal sealed class ShapeCapture : IEstimator<ITransformer>
{
    private SchemaShape? _shape;

    public static SchemaShape Of(IDataView data)
    {
        var capture = new ShapeCapture();
        new EstimatorChain<ITransformer>().Append(capture).Fit(data);
        return capture._shape!;
    }

    /// <summary>The columns as text, sorted: shapes have no order.</summary>
    public static string Describe(SchemaShape shape) => string.Join(
        '\n', shape.Select(c => $"{c.Name} {c.Kind} {c.ItemType} {c.IsKey}").Order(StringComparer.Ordinal));

    public ITransformer Fit(IDataView input) => new TransformerChain<ITransformer>();

    public SchemaShape GetOutputSchema(SchemaShape inputSchema) => _shape = inputSchema;
}
