using Microsoft.ML.OnnxRuntime;
using MLNetQuant.Grids;
using MLNetQuant.Onnx.Proto;
using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Variants;

/// <summary>
/// Every variant of every operator, in every setting: the format float computes what the model does with the weights decoded
/// and put in by hand, and every other format what the format float does.
/// </summary>
public class VariantTests
{
    public static TheoryData<string, string> Cases => Table(OperatorVariants.All.Keys, Setting.All.Keys);

    public static TheoryData<string, string> PlainCases => Table(OperatorVariants.All.Where(v => v.Value.IsPlain).Select(v => v.Key), Setting.All.Keys);

    public static TheoryData<string, string, WeightFormat> FormatCases
    {
        get
        {
            var cases = new TheoryData<string, string, WeightFormat>();
            foreach (var (variant, setting) in OperatorVariants.All.Keys.SelectMany(_ => Setting.All, (v, s) => (v, s)))
            {
                var opset = OperatorVariants.All[variant].Model().Proto.OpsetImport.First(o => o.Domain.Length == 0).Version;
                foreach (var written in WrittenFormat.All.Where(f => f.Takes(setting.Value) && opset >= f.LeastOpset))
                    cases.Add(variant, setting.Key, written.Format);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_format_float_computes_what_decoded_weights_put_in_by_hand_compute(string variant, string setting)
    {
        var test = OperatorVariants.All[variant];
        var (model, given) = (test.Model(), Setting.All[setting]);
        var (plain, byHand) = (Quantize(test, model, given, WeightFormat.Float, bias: false), ByHand(test, model, given));
        Assert.Empty(plain.Report.Skipped);
        Assert.Equal(Run(byHand, test.Test()), Run(plain.Model.Proto, test.Test()));
        if (test.Weights.Any(w => w.Inputs > 1)) // one number alone is its own scale
            Assert.NotEqual(Run(model.Proto, test.Test()), Run(plain.Model.Proto, test.Test()));
        Assert.All(plain.Report.Layers, l => Assert.InRange(l.RelativeError, 0, given.LargestError));
    }

    [Theory]
    [MemberData(nameof(FormatCases))]
    public void Every_other_format_computes_what_the_format_float_does_within_its_tolerance(string variant, string setting, WeightFormat format)
    {
        var test = OperatorVariants.All[variant];
        var (model, given) = (test.Model(), Setting.All[setting]);
        var (plain, written) = (Quantize(test, model, given, WeightFormat.Float), Quantize(test, model, given, format));
        Assert.Empty(written.Report.Skipped);
        Assert.Equal(plain.Report.Layers.Count, written.Report.Layers.Count);
        var (expected, actual) = (Run(plain.Model.Proto, test.Test()), Run(written.Model.Proto, test.Test()));
        var tolerance = WrittenFormat.All.Single(f => f.Format == format).Tolerance;
        if (tolerance == 0)
            Assert.Equal(expected, actual);
        else
            Assert.InRange(Distance(expected, actual), 0, tolerance);
    }

    [Theory]
    [MemberData(nameof(PlainCases))]
    public void The_reported_error_of_a_layer_is_that_of_its_outputs(string variant, string setting)
    {
        var test = OperatorVariants.All[variant];
        var (model, given) = (test.Model(), Setting.All[setting]);
        var report = Quantize(test, model, given, WeightFormat.Folded, bias: false).Report;
        var (expected, actual) = (WeightByHand.WithoutBias(model.Proto), WeightByHand.WithoutBias(ByHand(test, model, given)));
        var (exact, decoded) = (new List<float>(), new List<float>());
        foreach (var rows in Batches(test))
        {
            exact.AddRange(Run(expected, rows));
            decoded.AddRange(Run(actual, rows));
        }

        Assert.Equal(Distance([.. exact], [.. decoded]), Assert.Single(report.Layers).RelativeError, 1e-5);
    }

    [Theory]
    [MemberData(nameof(OperatorVariants.Names), MemberType = typeof(OperatorVariants))]
    public void Nothing_of_the_decoding_is_left_once_the_runtime_has_loaded_the_file(string variant)
    {
        var test = OperatorVariants.All[variant];
        var model = test.Model();
        var folded = Quantize(test, model, Setting.All["4 bits"], WeightFormat.Folded, bias: false).Model;
        Assert.Equal(Operators(model.Proto), Operators(folded.Proto));

        static string[] Operators(ModelProto model) =>
            [.. Runtime.OperatorsAfterLoading(model, GraphOptimizationLevel.ORT_ENABLE_ALL).Order(StringComparer.Ordinal)];
    }

    /// <summary>The float model with the weights of its folded file.</summary>
    private static ModelProto ByHand(Variant test, OnnxModel model, Setting setting)
    {
        var folded = Quantize(test, model, setting, WeightFormat.Folded, bias: false);
        var byHand = model.Proto;
        Assert.Equal(test.Weights.Length, folded.Report.Layers.Count);
        foreach (var (weight, layer) in test.Weights.Zip(folded.Report.Layers))
        {
            Assert.Equal((weight.Inputs, weight.Outputs * weight.Groups, weight.Count), (layer.Inputs, layer.Outputs, layer.Weights));
            Assert.DoesNotContain(folded.Model.Proto.Graph.Initializer, i => i.Name == weight.File);
            var block = Math.Min(Granularity.Parse(setting.Granularity).BlockSize(weight.Inputs), weight.Inputs);
            byHand = WeightByHand.Put(byHand, weight, DecodedWeight.Read(folded.Model.Proto, weight, layer.Bits, block));
        }

        return byHand;
    }

    private static QuantizedModel Quantize(Variant test, OnnxModel model, Setting setting, WeightFormat format, bool bias = true) =>
        ModelQuantizer.Quantize(model, CalibrationRows.Of(("x", test.Rows())), setting.Options(format) with { BiasCorrection = bias });

    /// <summary>The calibration rows as single runs take them.</summary>
    private static IEnumerable<OnnxTensor> Batches(Variant test)
    {
        var rows = test.Rows();
        if (test.Input.StartsWith("N,", StringComparison.Ordinal))
            return [rows];
        return Enumerable.Range(0, (int)rows.Shape[0]).Select(r => rows.Rows(r, 1).WithoutFirstAxis());
    }

    private static float[] Run(ModelProto model, OnnxTensor x) =>
        Runtime.Run(model, new Dictionary<string, OnnxTensor> { ["x"] = x })["y"].ToFloats().Values<float>().ToArray();

    private static double Distance(float[] expected, float[] actual) => Math.Sqrt(
        expected.Zip(actual, (a, b) => Math.Pow((double)a - b, 2)).Sum() / expected.Sum(a => (double)a * a));

    private static TheoryData<string, string> Table(IEnumerable<string> variants, IEnumerable<string> settings)
    {
        var table = new TheoryData<string, string>();
        foreach (var (variant, setting) in variants.SelectMany(_ => settings, (v, s) => (v, s)))
            table.Add(variant, setting);
        return table;
    }
}
