namespace MLNetQuant.Numerics;

/// <summary>min ‖z‖∞ subject to Rz = b, R of r rows and N columns a_1..a_N and of full row rank r.</summary>
/// <remarks>
/// <para>Solved through its dual: with y on the hyperplane bᵀy = 1, f(y) = Σ|a_iᵀy| is least at 1 / min ‖z‖∞, and there
/// z_i = sign(a_iᵀy) / f wherever a_iᵀy is not zero.</para>
/// <para>Steepest descent from vertex to vertex: r − 1 of the a_iᵀy are zero, the basis. With g the sum of the signed
/// others, g = f b − Σ μ_i a_i over the basis; where all |μ_i| ≤ 1 the vertex is best and z_i = μ_i / f there. Else the
/// input with the largest leaves the basis, y moves along the edge while f falls, past as many sign changes as that
/// takes, and the last of them enters. The inverse of the basis is maintained: O(Nr + r²) per step.</para>
/// </remarks>
internal sealed class LeastMaximumSolver
{
    private const double Slack = 1e-9; // of |μ| above 1

    private readonly PivotedCholesky _factor;
    private readonly Matrix<double> _pivotInverse; // row k: column k of the inverse of the pivots' basis

    /// <summary>A solver for any number of right sides.</summary>
    public LeastMaximumSolver(PivotedCholesky factor)
    {
        _factor = factor;
        var r = factor.Rank;
        // The basis has rows a_piv, lower triangular; its inverse by substitution, one unit vector after the other.
        _pivotInverse = new(r, r);
        for (var k = 0; k < r; k++)
        {
            var x = _pivotInverse.Row(k);
            for (var i = k; i < r; i++)
            {
                var row = factor.Columns.Row(factor.Pivots[i]);
                var sum = i == k ? 1.0 : 0;
                for (var j = k; j < i; j++)
                    sum -= row[j] * x[j];
                x[i] = sum / row[i];
            }
        }
    }

    /// <summary>z.</summary>
    public double[] Solve(double[] b)
    {
        if (Array.TrueForAll(b, value => value == 0))
            return new double[_factor.Columns.Rows];
        var vertex = new Vertex(_factor, _pivotInverse.Clone(), b);
        for (var steps = 50 * (_factor.Rank + 20); steps > 0 && vertex.Improve(); steps--)
        {
        }

        return vertex.Solution();
    }

    /// <summary>A vertex of the dual.</summary>
    private sealed class Vertex
    {
        private readonly Matrix<double> _columns;
        private readonly double[] _b;
        private readonly int[] _basis;            // input of each slot; −1 for b
        private readonly Matrix<double> _inverse; // row k: column k of the inverse, whose rows are the slots' vectors
        private readonly bool[] _inBasis;
        private readonly double[] _products;      // a_iᵀy
        private readonly double[] _signs;
        private readonly double[] _gradient;      // g
        private readonly double[] _coefficients;  // of g in the slots: f for b, −μ for the others
        private readonly double[] _slopes;
        private readonly int[] _breaks;
        private readonly double[] _distances;

        public Vertex(PivotedCholesky factor, Matrix<double> inverse, double[] b)
        {
            (_columns, _inverse, _b) = (factor.Columns, inverse, b);
            var (n, r) = (_columns.Rows, _columns.Columns);
            _basis = (int[])factor.Pivots.Clone();
            (_inBasis, _products, _signs) = (new bool[n], new double[n], new double[n]);
            (_gradient, _coefficients) = (new double[r], new double[r]);
            (_slopes, _breaks, _distances) = (new double[n], new int[n], new double[n]);
            var slot = 0;
            for (var k = 0; k < r; k++)
            {
                _coefficients[k] = Dense.Dot(b, _inverse.Row(k));
                slot = Math.Abs(_coefficients[k]) > Math.Abs(_coefficients[slot]) ? k : slot;
            }

            Replace(slot, _coefficients);
            _basis[slot] = -1;
            foreach (var input in _basis)
            {
                if (input >= 0)
                    _inBasis[input] = true;
            }

            var y = _inverse.Row(slot);
            for (var i = 0; i < n; i++)
            {
                if (_inBasis[i])
                    continue;
                _products[i] = Dense.Dot(_columns.Row(i), y);
                _signs[i] = _products[i] < 0 ? -1 : 1;
                Dense.AddScaled(_signs[i], _columns.Row(i), _gradient);
            }

            Decompose();
        }

        /// <summary>One step; false where the vertex is best.</summary>
        public bool Improve()
        {
            var leaving = -1;
            for (var k = 0; k < _basis.Length; k++)
            {
                if (_basis[k] >= 0 && (leaving < 0 || Math.Abs(_coefficients[k]) > Math.Abs(_coefficients[leaving])))
                    leaving = k;
            }

            if (leaving < 0 || Math.Abs(_coefficients[leaving]) <= 1 + Slack)
                return false;
            var side = _coefficients[leaving] > 0 ? -1.0 : 1.0;
            var count = 0;
            for (var i = 0; i < _products.Length; i++)
            {
                if (_inBasis[i])
                    continue;
                _slopes[i] = side * Dense.Dot(_columns.Row(i), _inverse.Row(leaving));
                if (_signs[i] * _slopes[i] < 0)
                    (_breaks[count], _distances[count++]) = (i, Math.Max(0, -_products[i] / _slopes[i]));
            }

            Array.Sort(_distances, _breaks, 0, count);
            var slope = 1 - Math.Abs(_coefficients[leaving]);
            var last = 0;
            for (; last < count; last++)
            {
                slope += 2 * Math.Abs(_slopes[_breaks[last]]);
                if (slope >= 0)
                    break;
            }

            if (last >= count)
                return false; // f falls without end by rounding alone
            Move(leaving, side, last);
            return true;
        }

        /// <summary>z, refined once.</summary>
        public double[] Solution()
        {
            var z = new double[_products.Length];
            var f = _coefficients[Array.IndexOf(_basis, -1)];
            for (var i = 0; i < z.Length; i++)
                z[i] = _inBasis[i] || !_columns.Row(i).ContainsAnyExcept(0.0) ? 0 : _signs[i] / f;
            for (var k = 0; k < _basis.Length; k++)
            {
                if (_basis[k] >= 0)
                    z[_basis[k]] = -_coefficients[k] / f;
            }

            var residual = (double[])_b.Clone();
            for (var i = 0; i < z.Length; i++)
                Dense.AddScaled(-z[i], _columns.Row(i), residual);
            var scale = 1.0;
            for (var k = 0; k < _basis.Length; k++)
            {
                var correction = Dense.Dot(residual, _inverse.Row(k));
                if (_basis[k] >= 0)
                    z[_basis[k]] += correction;
                else
                    scale -= correction;
            }

            for (var i = 0; i < z.Length; i++)
                z[i] /= scale;
            return z;
        }

        private void Move(int leaving, double side, int last)
        {
            var distance = _distances[last];
            var entering = _breaks[last];
            for (var i = 0; i < _products.Length; i++)
            {
                if (!_inBasis[i])
                    _products[i] += distance * _slopes[i];
            }

            for (var k = 0; k < last; k++)
            {
                var passed = _breaks[k];
                _signs[passed] = -_signs[passed];
                Dense.AddScaled(2 * _signs[passed], _columns.Row(passed), _gradient);
            }

            Dense.AddScaled(-_signs[entering], _columns.Row(entering), _gradient);
            var left = _basis[leaving];
            Dense.AddScaled(side, _columns.Row(left), _gradient);
            (_inBasis[left], _products[left], _signs[left]) = (false, side * distance, side);
            (_inBasis[entering], _products[entering], _signs[entering]) = (true, 0, 0);
            for (var k = 0; k < _basis.Length; k++)
                _coefficients[k] = Dense.Dot(_columns.Row(entering), _inverse.Row(k));
            Replace(leaving, _coefficients);
            _basis[leaving] = entering;
            Decompose();
        }

        /// <summary>The inverse once a slot holds another vector, which has these coefficients in the old slots.</summary>
        private void Replace(int slot, double[] coefficients)
        {
            var column = _inverse.Row(slot);
            foreach (ref var value in column)
                value /= coefficients[slot];
            for (var k = 0; k < _basis.Length; k++)
            {
                if (k != slot)
                    Dense.AddScaled(-coefficients[k], column, _inverse.Row(k));
            }
        }

        private void Decompose()
        {
            for (var k = 0; k < _basis.Length; k++)
                _coefficients[k] = Dense.Dot(_gradient, _inverse.Row(k));
        }
    }
}
