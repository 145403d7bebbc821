namespace MLNetQuant.Certificates;

/// <summary>What a method promises of one layer before it runs, beside what it did.</summary>
/// <param name="Kind">The statement: "gpfq", "optq", "spfq", "unified", "msq-preprocessed", "msq" or
/// "beacon".</param>
/// <param name="Bound">An upper bound of ‖XW − X̃Q‖_F / ‖XW‖_F on the calibration rows, the number that
/// <see cref="MeasuredError.Relative"/> measures. Where XW = 0 it is 1 if any error is possible, else 0.</param>
/// <param name="Measured">That number, measured.</param>
/// <param name="Probability">With which probability the bound holds: 1 for deterministic methods.</param>
/// <param name="Holds">Whether the assumptions of the bound are met, so that it is a statement about this layer.</param>
/// <param name="Reason">The assumptions and how they are met, or which one is not.</param>
public sealed record Certificate(string Kind, double Bound, double Measured, double Probability, bool Holds, string Reason);
