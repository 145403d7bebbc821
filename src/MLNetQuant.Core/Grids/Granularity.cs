using System.Globalization;

namespace MLNetQuant.Grids;

/// <summary>Which weights share one scale.</summary>
/// <remarks>For weights of shape inputs × outputs: "tensor" has one scale, "channel" one per output, and
/// "block:32" one per output and run of 32 inputs.</remarks>
public abstract record Granularity
{
    private protected Granularity()
    {
    }

    /// <summary>One scale for the whole matrix: "tensor".</summary>
    public static Granularity PerTensor { get; } = new TensorGranularity();

    /// <summary>One scale for each output: "channel".</summary>
    public static Granularity PerChannel { get; } = new ChannelGranularity();

    /// <summary>Whether each output has scales of its own.</summary>
    public abstract bool SeparatesOutputs { get; }

    /// <summary>One scale for each output and run of inputs: "block:32". The last block of an output may be shorter.</summary>
    /// <param name="size">Inputs that share a scale, at least 2.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size below 2.</exception>
    public static Granularity PerBlock(int size) => size >= 2
        ? new BlockGranularity(size)
        : throw new ArgumentOutOfRangeException(nameof(size), $"A block of {size} inputs cannot share a scale; use 2 or more, usually 16 to 256.");

    /// <summary>Reads "tensor", "channel" or "block:N", in any case.</summary>
    /// <exception cref="FormatException">Anything else.</exception>
    public static Granularity Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        const string Block = "block:";
        if (text.Equals("tensor", StringComparison.OrdinalIgnoreCase))
            return PerTensor;
        if (text.Equals("channel", StringComparison.OrdinalIgnoreCase))
            return PerChannel;
        if (text.StartsWith(Block, StringComparison.OrdinalIgnoreCase)
            && int.TryParse(text.AsSpan(Block.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            && size >= 2)
        {
            return PerBlock(size);
        }

        throw new FormatException($"\"{text}\" is not a granularity; use tensor, channel, or block:N with N of at least 2, such as block:32.");
    }

    /// <summary>How many inputs of an output share a scale, for a layer with so many inputs.</summary>
    public abstract int BlockSize(int inputs);

    /// <summary>The text that <see cref="Parse"/> reads.</summary>
    public sealed override string ToString() => Text;

    private protected abstract string Text { get; }

    private sealed record TensorGranularity : Granularity
    {
        public override bool SeparatesOutputs => false;

        private protected override string Text => "tensor";

        public override int BlockSize(int inputs) => inputs;
    }

    private sealed record ChannelGranularity : Granularity
    {
        public override bool SeparatesOutputs => true;

        private protected override string Text => "channel";

        public override int BlockSize(int inputs) => inputs;
    }

    private sealed record BlockGranularity(int Size) : Granularity
    {
        public override bool SeparatesOutputs => true;

        private protected override string Text => string.Create(CultureInfo.InvariantCulture, $"block:{Size}");

        public override int BlockSize(int inputs) => Size;
    }
}
