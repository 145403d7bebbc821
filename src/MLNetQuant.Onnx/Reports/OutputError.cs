namespace MLNetQuant;

/// <summary>How far one output of two models is apart on the same rows.</summary>
/// <param name="Name">Output name.</param>
/// <param name="RelativeError">‖a − b‖ / ‖a‖ over all values; 0 when both are zero.</param>
/// <param name="MaxAbsoluteError">Largest |a − b|.</param>
/// <param name="ArgMaxAgreement">
/// Share of rows (last axis) whose largest value stands at the same place; <see langword="null"/> for an output
/// whose last axis holds one value.
/// </param>
public sealed record OutputError(string Name, double RelativeError, double MaxAbsoluteError, double? ArgMaxAgreement);
