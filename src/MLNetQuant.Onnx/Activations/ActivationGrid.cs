namespace MLNetQuant.Onnx.Activations;

/// <summary>256 levels for the values of a tensor: (code − zero point) · scale, the arithmetic of QuantizeLinear for uint8.</summary>
/// <param name="Scale">Step, above zero.</param>
/// <param name="ZeroPoint">Code of zero.</param>
internal readonly record struct ActivationGrid(float Scale, byte ZeroPoint)
{
    /// <summary>The finest grid that reaches from one value to another, and holds zero.</summary>
    public static ActivationGrid Of(double low, double high)
    {
        low = Math.Min(low, 0);
        high = Math.Max(high, 0);
        var scale = (float)((high - low) / byte.MaxValue);
        // A layer that sees nothing but zeros, or next to nothing, still needs a step that is a normal number.
        return scale < 1e-30f ? new(1, 0) : new(scale, (byte)Math.Clamp(Math.Round(-low / scale), 0, byte.MaxValue));
    }

    /// <summary>The grid that DynamicQuantizeLinear takes for a whole tensor.</summary>
    public static ActivationGrid Of(ReadOnlySpan<float> values)
    {
        var (low, high) = (0f, 0f);
        foreach (var value in values)
            (low, high) = (Math.Min(low, value), Math.Max(high, value));
        return Of(low, high);
    }

    /// <summary>The nearest level, ties to even codes.</summary>
    public float Round(float value) =>
        (Math.Clamp(MathF.Round(value / Scale) + ZeroPoint, 0, byte.MaxValue) - ZeroPoint) * Scale;

    /// <summary>The nearest level of each value.</summary>
    public void Round(Span<float> values)
    {
        foreach (ref var value in values)
            value = Round(value);
    }
}
