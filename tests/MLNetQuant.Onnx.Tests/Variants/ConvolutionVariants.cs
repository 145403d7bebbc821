using MLNetQuant.Onnx.Tests.Models;

namespace MLNetQuant.Onnx.Tests.Variants;

/// <summary>Conv, FusedConv and ConvTranspose over one to three axes.</summary>
internal static class ConvolutionVariants
{
    public static Dictionary<string, Variant> All => new()
    {
        ["Conv 1-D"] = Conv("3,4,3", "N,4,9"),
        ["Conv 1-D, stride, pads"] = Conv("3,4,3", "N,4,9", Ints("strides", 2), Ints("pads", 2, 1)),
        ["Conv 1-D, grouped, dilated"] = Conv("6,2,3", "N,4,12", Ints("dilations", 3), ("group", 2L)),
        ["Conv 1-D, SAME_UPPER"] = Conv("3,4,4", "N,4,9", ("auto_pad", "SAME_UPPER")),
        ["Conv 1-D, SAME_LOWER"] = Conv("3,4,4", "N,4,9", ("auto_pad", "SAME_LOWER")),
        ["Conv 1-D, VALID"] = Conv("3,4,4", "N,4,9", ("auto_pad", "VALID")),
        ["Conv 1-D, depthwise"] = Conv("4,1,3", "N,4,9", ("group", 4L)),
        ["Conv 2-D"] = Conv("5,3,3,2", "N,3,7,6"),
        ["Conv 2-D, without bias"] = Of("N,3,5,5", WeightForm.Filters("4,3,3,3"), b => b.Node("Conv", "x,W", "y")),
        ["Conv 2-D, pointwise"] = Conv("5,3,1,1", "N,3,4,5"),
        ["Conv 2-D, pointwise with stride"] = Conv("5,3,1,1", "N,3,5,4", Ints("strides", 2, 3)),
        ["Conv 2-D, one output position"] = Conv("5,3,4,5", "N,3,4,5"),
        ["Conv 2-D, one weight per output"] = Conv("5,1,1,1", "N,5,2,2", ("group", 5L)),
        ["Conv 2-D, strides, asymmetric pads, dilations"] = Conv("4,3,3,2", "N,3,9,7", Ints("strides", 2, 1), Ints("pads", 1, 0, 2, 3), Ints("dilations", 2, 3)),
        ["Conv 2-D, pads wider than the filter"] = Conv("2,1,2,2", "N,1,3,3", Ints("pads", 3, 3, 3, 3)),
        ["Conv 2-D, SAME_UPPER"] = Conv("4,3,3,2", "N,3,6,5", ("auto_pad", "SAME_UPPER")),
        ["Conv 2-D, SAME_LOWER"] = Conv("4,3,3,2", "N,3,6,5", ("auto_pad", "SAME_LOWER")),
        ["Conv 2-D, SAME_UPPER, stride"] = Conv("4,3,4,3", "N,3,6,7", ("auto_pad", "SAME_UPPER"), Ints("strides", 2, 3)),
        ["Conv 2-D, SAME_LOWER, stride"] = Conv("4,3,4,3", "N,3,6,7", ("auto_pad", "SAME_LOWER"), Ints("strides", 2, 3)),
        ["Conv 2-D, SAME_UPPER, stride beyond the filter"] = Conv("4,3,1,1", "N,3,9,9", ("auto_pad", "SAME_UPPER"), Ints("strides", 3, 4)),
        ["Conv 2-D, SAME_LOWER, stride beyond the filter"] = Conv("4,3,1,1", "N,3,9,9", ("auto_pad", "SAME_LOWER"), Ints("strides", 3, 4)),
        ["Conv 2-D, VALID"] = Conv("4,3,3,2", "N,3,6,5", ("auto_pad", "VALID"), Ints("strides", 2, 2)),
        ["Conv 2-D, two groups"] = Conv("6,2,3,3", "N,4,5,5", ("group", 2L), Ints("pads", 1, 1, 1, 1)),
        ["Conv 2-D, depthwise"] = Conv("4,1,3,3", "N,4,6,5", ("group", 4L), Ints("pads", 1, 1, 1, 1)),
        ["Conv 2-D, depthwise, multiplier 3"] = Conv("12,1,3,3", "N,4,6,5", ("group", 4L), Ints("strides", 2, 2)),
        ["Conv 3-D"] = Conv("3,2,2,3,2", "N,2,4,5,3"),
        ["Conv 3-D, strides, pads, groups"] = Conv("4,1,2,3,2", "N,2,5,4,6", Ints("strides", 2, 1, 3), Ints("pads", 1, 0, 2, 0, 1, 1), ("group", 2L)),
        ["Conv 3-D, SAME_UPPER, strides"] = Conv("3,2,2,2,2", "N,2,4,5,3", ("auto_pad", "SAME_UPPER"), Ints("strides", 1, 2, 2)),
        ["Conv 3-D, dilated"] = Conv("3,2,2,2,2", "N,2,4,5,3", Ints("dilations", 2, 3, 1)),
        ["FusedConv, Relu"] = Of("N,4,6,6", WeightForm.Filters("6,4,3,3"), b => b.Weight("b", 6).Node("com.microsoft::FusedConv", "x,W,b", "y", ("activation", "Relu"))) with { IsPlain = false },
        ["ConvTranspose 1-D, groups, stride"] = Transposed("12,2,4", "N,12,6", ("group", 3L), Ints("strides", 2)),
        ["ConvTranspose 1-D, stride beyond the filter"] = Transposed("6,4,2", "N,6,5", Ints("strides", 3)),
        ["ConvTranspose 2-D"] = Transposed("8,5,3,3", "N,8,4,5"),
        ["ConvTranspose 2-D, pads, dilations"] = Transposed("8,5,3,2", "N,8,4,5", Ints("pads", 1, 0, 0, 1), Ints("dilations", 2, 1)),
        ["ConvTranspose 2-D, strides, output padding"] = Transposed("8,5,3,3", "N,8,4,5", Ints("strides", 2, 2), Ints("output_padding", 1, 0)),
        ["ConvTranspose 2-D, SAME_UPPER"] = Transposed("8,5,3,3", "N,8,4,5", ("auto_pad", "SAME_UPPER"), Ints("strides", 2, 2)),
        ["ConvTranspose 2-D, SAME_LOWER"] = Transposed("8,5,4,3", "N,8,4,5", ("auto_pad", "SAME_LOWER"), Ints("strides", 2, 2)),
        ["ConvTranspose 2-D, depthwise"] = Transposed("6,1,3,3", "N,6,4,5", ("group", 6L), Ints("strides", 2, 2)),
        ["ConvTranspose 3-D"] = Transposed("4,3,2,2,3", "N,4,3,2,3", Ints("strides", 1, 2, 1)),
    };

    private static Variant Conv(string weight, string input, params (string Name, object Value)[] attributes)
    {
        var form = WeightForm.Filters(weight, Group(attributes));
        return Of(input, form, b => b.Weight("b", form.Dims[0]).Node("Conv", "x,W,b", "y", attributes));
    }

    private static Variant Transposed(string weight, string input, params (string Name, object Value)[] attributes)
    {
        var form = WeightForm.Taps(weight, Group(attributes));
        return Of(input, form, b => b.Weight("b", form.Dims[1] * form.Groups).Node("ConvTranspose", "x,W,b", "y", attributes)) with { IsPlain = false };
    }

    private static Variant Of(string input, WeightForm weight, Func<GraphBuilder, GraphBuilder> build) =>
        new(input, [weight], () => build(new GraphBuilder().Weight(weight.Name, weight.Dims))) { IsPlain = true };

    private static (string, object) Ints(string name, params long[] values) => (name, values);

    private static long Group((string Name, object Value)[] attributes) => attributes.FirstOrDefault(a => a.Name == "group").Value is long groups ? groups : 1;
}
