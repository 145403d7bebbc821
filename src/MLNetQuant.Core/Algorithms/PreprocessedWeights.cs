using MLNetQuant.Grids;
using MLNetQuant.Numerics;

namespace MLNetQuant.Algorithms;

/// <summary>What the pre-processing of <see cref="PreprocessedMsq"/> makes of the weights of a layer.</summary>
/// <param name="Aligned">W*, inputs × outputs: W, or in hidden layers the weights aligned to the inputs X̃.</param>
/// <param name="Z">Inputs × outputs: AZ = AW*, and of each column all but rank(A) entries of inputs that are not dead
/// are ±c.</param>
/// <param name="Directions">A: orthonormal rows, each a direction of the data, number of directions × inputs.</param>
/// <param name="Grid">A grid of which ±c are points.</param>
public sealed record PreprocessedWeights(Matrix<double> Aligned, Matrix<double> Z, Matrix<double> Directions, Grid Grid);
