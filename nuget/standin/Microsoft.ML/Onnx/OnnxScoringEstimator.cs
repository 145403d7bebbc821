using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Onnx;

/// <summary>The estimator of <see cref="OnnxTransformer"/>; it learns nothing.</summary>
public sealed class OnnxScoringEstimator : TrivialEstimator<OnnxTransformer>
{
    internal OnnxScoringEstimator(IHostEnvironment env, OnnxTransformer transformer)
        : base(env.Register(nameof(OnnxTransformer)), transformer)
    {
    }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        foreach (string name in Transformer.Inputs)
            CheckInput(name, inputSchema);

        var columns = inputSchema.ToDictionary(c => c.Name);
        foreach (OnnxVariable output in Transformer.Outputs)
        {
            bool known = output.Type is VectorDataViewType { IsKnownSize: true };
            columns[output.Name] = new SchemaShape.Column(
                output.Name,
                known ? SchemaShape.Column.VectorKind.Vector : SchemaShape.Column.VectorKind.VariableVector,
                output.Type.GetItemType(),
                isKey: false);
        }
        return new SchemaShape(columns.Values);
    }

    private void CheckInput(string name, SchemaShape inputSchema)
    {
        if (!inputSchema.TryFindColumn(name, out SchemaShape.Column column))
            throw Host.ExceptMissingColumn(nameof(inputSchema), "input", name);
        OnnxVariable input = Array.Find(Transformer.Model.Inputs, v => v.Name == name)
            ?? throw Host.Except($"Column {name} doesn't match input node names of model.");
        if (input.Type is not VectorDataViewType vector)
            throw Host.Except($"The input '{name}' of the ONNX model is a scalar without dimensions; give it the shape [1,1].");
        if (!column.ItemType.Equals(vector.ItemType))
        {
            throw Host.ExceptSchemaMismatch(
                nameof(inputSchema), "input", name, vector.ItemType.ToString(), column.ItemType.ToString());
        }
    }
}
