using Microsoft.ML;
using MLNetQuant.Algorithms;
using MLNetQuant.Grids;
using MLNetQuant.Tests.Data;

namespace MLNetQuant.Tests.Batching;

/// <summary>The shared models, float and quantized, each made once for the tests of one class.</summary>
public sealed class SharedForms : IDisposable
{
    /// <summary>What a model is quantized to; null for the float model.</summary>
    private static readonly Dictionary<string, QuantizationOptions?> Forms = new()
    {
        ["float"] = null,
        ["8 bits"] = new() { Bits = 8, Format = WeightFormat.Folded },
        ["4 bits"] = new() { Bits = 4, Granularity = Granularity.Parse("block:32"), Format = WeightFormat.Folded },
        ["packed"] = new() { Bits = 4, Granularity = Granularity.Parse("block:32"), Format = WeightFormat.Packed },
        ["integer"] = new() { Bits = 8, Format = WeightFormat.Integer },
    };

    private readonly ScratchFolder _folder = new();
    private readonly MLContext _ml = new(seed: 1);
    private readonly Dictionary<(string Model, string Form), SharedForm> _made = [];

    /// <summary>Each model in each form that it can have.</summary>
    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var model in SharedRows.Models)
            {
                foreach (var form in Forms.Keys)
                {
                    if ((model, form) != ("mnist_cntk", "integer")) // its operator set, 8, has no QuantizeLinear
                        cases.Add(model, form);
                }
            }

            return cases;
        }
    }

    internal SharedForm Of(string model, string form)
    {
        if (!_made.TryGetValue((model, form), out var made))
            _made[(model, form)] = made = Make(model, form);
        return made;
    }

    public void Dispose()
    {
        foreach (var form in _made.Values)
            form.Dispose();
        _folder.Dispose();
    }

    private SharedForm Make(string model, string form)
    {
        var file = SharedRows.FileOf(model);
        if (Forms[form] is not { } options)
            return new(_ml, model, file, quantized: null, isInteger: false);

        // What is measured is how the file scores, so that the quickest algorithm will do.
        var quantized = _ml.Transforms.QuantizeWeights(file, options with { Algorithm = new Msq(), RowsPerLayer = 256 })
            .Fit(SharedRows.For(model, _ml, 8));
        quantized.SaveOnnxModel(file = _folder[$"{model} {form}.onnx"]);
        return new(_ml, model, file, quantized, options.Format is WeightFormat.Integer);
    }
}
