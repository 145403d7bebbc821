namespace MLNetQuant.Grids;

/// <summary>What the path kernel does with the arguments V_t of one input. Implemented by structs, so that the
/// kernel is compiled for each rule; called from several threads, each with outputs of its own.</summary>
internal interface IRoundingRule
{
    /// <summary>Replaces the arguments by the values that are fed back, and keeps what the rule produces.</summary>
    /// <param name="input">t.</param>
    /// <param name="firstOutput">Output that the first lane belongs to.</param>
    /// <param name="lanes">V_t on entry, Q_t on return: the dequantized float32 values, widened.</param>
    /// <returns>How many codes were clipped to an end of the alphabet.</returns>
    int Round(int input, int firstOutput, Span<double> lanes);
}
