namespace MLNetQuant;

/// <summary>How far one output of two models is apart on the same rows.</summary>
/// <param name="Name">Output name.</param>
/// <param name="RelativeError">
/// ‖a − b‖ / ‖a‖ over all values that are finite in a; where a is zero, 0 if b is zero as well, else 1; infinite where
/// b is not finite.
/// </param>
/// <param name="MaxAbsoluteError">Largest |a − b| of those values.</param>
/// <param name="ArgMaxAgreement">
/// Share of rows (last axis) whose largest value stands at the same place; <see langword="null"/> for an output
/// whose last axis holds one value.
/// </param>
public sealed record OutputError(string Name, double RelativeError, double MaxAbsoluteError, double? ArgMaxAgreement);
