using System.Runtime.Intrinsics;
using MLNetQuant.Numerics;

namespace MLNetQuant.Algorithms;

/// <summary>
/// The pre-processing of Maly and Saab, "A simple approach for quantizing neural networks", arXiv 2209.03487: moves z
/// within the box |z_t| ≤ c_t along the kernel of A (r × N) until at most rank(A) entries are off ±c_t.
/// </summary>
/// <remarks>
/// <para>As the method is stated: while more than r entries are inside the box, take r + 1 of them, I, and k ≠ 0 with
/// A_I k = 0; go along k until an entry reaches its bound, by the sign of k with the smaller step.</para>
/// <para>How it is done here: of the entries inside, in natural order, up to r with independent columns form a basis
/// B, and A_B⁻¹ is kept. The next entry j inside has d = A_B⁻¹ A_j, and k is 1 at j and −d on B; the smaller step is
/// α = min over j and B of (c_i − |z_i|) / |k_i|. If a basic entry is the one that arrives, j takes its place, a
/// rank-one change of A_B⁻¹. A step so costs O(r²), a walk O(N r²). B starts as unit columns, whose entries are held
/// at zero; each leaves for the first j that depends on it (the largest |d| of those), so that a rank below r needs no
/// case of its own. This is the ratio test of the simplex method with bounded variables.</para>
/// <para>At the end A(z − w) is computed anew, and the basic entries take up what rounding has left of it.</para>
/// <para>Not for use by several threads at once; make one per thread.</para>
/// </remarks>
internal sealed unsafe class KernelWalk : IDisposable
{
    // Below these, an entry of d is rounding noise: relative to A_j where it would enter, absolute where it would move.
    private const double Independent = 1e-12;
    private const double Moving = 1e-11;
    private const int Corrections = 4;
    private const int Free = -1;

    private readonly WalkConstraints _a;
    private readonly int _count;
    private readonly int _stride;
    private readonly int[] _basis;          // position → entry, or Free
    private readonly AlignedBuffer<double> _inverse; // A_B⁻¹, column by column
    private readonly AlignedBuffer<double> _scratch;
    private readonly double* _d;
    private readonly double* _value;        // z of the basic entries, by position
    private readonly double* _bound;        // c of the basic entries, +∞ where free
    private readonly double* _ratio;
    private int _free;

    public KernelWalk(WalkConstraints constraints)
    {
        (_a, _count, _stride) = (constraints, constraints.Count, constraints.Stride);
        _basis = new int[_count];
        _inverse = new((long)_stride * _stride);
        _scratch = new(4L * _stride);
        _d = _scratch.Pointer;
        _value = _d + _stride;
        _bound = _value + _stride;
        _ratio = _bound + _stride;
    }

    /// <summary>Walks.</summary>
    /// <param name="target">w: Aw is to be kept.</param>
    /// <param name="z">A point of the box with Az = Aw up to rounding, such as w itself; on return the end of the walk.</param>
    /// <param name="bounds">c_t ≥ 0.</param>
    internal void Walk(ReadOnlySpan<double> target, Span<double> z, ReadOnlySpan<double> bounds)
    {
        Reset();
        for (var j = 0; j < z.Length; j++)
        {
            if (Math.Abs(z[j]) >= bounds[j])
            {
                z[j] = Math.CopySign(bounds[j], z[j]);
                continue;
            }

            Multiply(_inverse.Pointer, _a.Column(j), _d);
            if (_free == 0 || !Enter(j, z, bounds))
                Step(j, z, bounds);
        }

        Correct(target, z);
    }

    public void Dispose()
    {
        _inverse.Dispose();
        _scratch.Dispose();
    }

    private void Reset()
    {
        Array.Fill(_basis, Free);
        _free = _count;
        new Span<double>(_inverse.Pointer, _stride * _stride).Clear();
        for (var p = 0; p < _stride; p++)
        {
            _inverse.Pointer[((long)p * _stride) + p] = 1;
            (_d[p], _value[p], _bound[p]) = (0, 0, double.PositiveInfinity);
        }
    }

    /// <summary>Makes j basic in place of a unit column, without moving, if A_j depends on one.</summary>
    private bool Enter(int j, Span<double> z, ReadOnlySpan<double> bounds)
    {
        var column = _a.Column(j);
        double largest = 0, size = 0;
        var position = Free;
        for (var p = 0; p < _count; p++)
        {
            size = Math.Max(size, Math.Abs(column[p]));
            if (_basis[p] == Free && Math.Abs(_d[p]) > largest)
                (largest, position) = (Math.Abs(_d[p]), p);
        }

        if (largest <= Independent * size)
        {
            for (var p = 0; p < _count; p++)
            {
                if (_basis[p] == Free)
                    _d[p] = 0;
            }

            return false;
        }

        _free--;
        Replace(position, j, z[j], bounds[j]);
        return true;
    }

    /// <summary>Goes along the kernel until j or a basic entry arrives at its bound.</summary>
    private void Step(int j, Span<double> z, ReadOnlySpan<double> bounds)
    {
        var arriving = Free;
        var alpha = bounds[j] - Math.Abs(z[j]);
        var least = SmallestRatio();
        if (least < alpha)
        {
            alpha = least;
            arriving = 0;
            while (_ratio[arriving] != least)
                arriving++;
        }

        // The direction is k or −k, whichever takes the arriving entry outwards; from zero, k.
        var outwards = arriving == Free ? z[j] : -_value[arriving] * _d[arriving];
        var step = outwards < 0 ? -alpha : alpha;
        var rises = arriving != Free && -step * _d[arriving] > 0;
        var negative = arriving != Free && (alpha > 0 ? !rises : _value[arriving] < 0);
        Move(step);
        if (arriving == Free)
        {
            z[j] = outwards < 0 ? -bounds[j] : bounds[j];
            return;
        }

        z[_basis[arriving]] = negative ? -_bound[arriving] : _bound[arriving];
        Replace(arriving, j, z[j] + step, bounds[j]);
    }

    /// <summary>(c − |z|) / |d| of the basic entries, and the least of them.</summary>
    private double SmallestRatio()
    {
        var least = Vector512.Create(double.PositiveInfinity);
        var noise = Vector512.Create(Moving);
        for (var p = 0; p < _stride; p += Vector512<double>.Count)
        {
            var d = Vector512.LoadAligned(_d + p);
            var size = Vector512.Abs(d);
            var moves = Vector512.GreaterThan(size, noise);
            Vector512.ConditionalSelect(moves, d, Vector512<double>.Zero).StoreAligned(_d + p);
            var room = Vector512.LoadAligned(_bound + p) - Vector512.Abs(Vector512.LoadAligned(_value + p));
            var ratio = Vector512.ConditionalSelect(moves, room / size, Vector512.Create(double.PositiveInfinity));
            ratio.StoreAligned(_ratio + p);
            least = Vector512.Min(least, ratio);
        }

        var result = double.PositiveInfinity;
        for (var lane = 0; lane < Vector512<double>.Count; lane++)
            result = Math.Min(result, least[lane]);
        return result;
    }

    /// <summary>Moves the basic entries by −step · d, and stops each at its bound.</summary>
    private void Move(double step)
    {
        var factor = Vector512.Create(-step);
        for (var p = 0; p < _stride; p += Vector512<double>.Count)
        {
            var bound = Vector512.LoadAligned(_bound + p);
            var moved = Vector512.FusedMultiplyAdd(factor, Vector512.LoadAligned(_d + p), Vector512.LoadAligned(_value + p));
            Vector512.Min(bound, Vector512.Max(-bound, moved)).StoreAligned(_value + p);
        }
    }

    /// <summary>Entry j, whose column is A_B d, takes a position of the basis.</summary>
    private void Replace(int position, int j, double value, double bound)
    {
        (_basis[position], _value[position], _bound[position]) = (j, Math.Clamp(value, -bound, bound), bound);
        var pivot = _d[position];
        for (var k = 0; k < _count; k++)
        {
            var column = _inverse.Pointer + ((long)k * _stride);
            var share = column[position] / pivot;
            if (share == 0)
                continue;
            var factor = Vector512.Create(-share);
            for (var p = 0; p < _stride; p += Vector512<double>.Count)
                Vector512.FusedMultiplyAdd(factor, Vector512.LoadAligned(_d + p), Vector512.LoadAligned(column + p)).StoreAligned(column + p);
            column[position] = share;
        }
    }

    /// <summary>Writes the basic entries back, moved by −A_B⁻¹ A(z − w) within their bounds, a few times.</summary>
    private void Correct(ReadOnlySpan<double> target, Span<double> z)
    {
        var residual = _ratio;
        for (var round = 0; ; round++)
        {
            for (var p = 0; p < _count; p++)
            {
                if (_basis[p] != Free)
                    z[_basis[p]] = _value[p];
            }

            if (round == Corrections)
                return;
            new Span<double>(residual, _stride).Clear();
            for (var t = 0; t < z.Length; t++)
                AddScaled(z[t] - target[t], _a.Column(t), residual);
            Multiply(_inverse.Pointer, residual, _d);
            for (var p = 0; p < _count; p++)
                _d[p] = _basis[p] == Free ? 0 : _d[p];
            Move(1);
        }
    }

    /// <summary>result = matrix · vector, the matrix column by column: chains of fused multiply-adds in ascending order.</summary>
    private void Multiply(double* matrix, double* vector, double* result)
    {
        const int Block = 64;
        var lane = 0;
        for (; lane + Block <= _stride; lane += Block)
        {
            Vector512<double> s0 = default, s1 = default, s2 = default, s3 = default;
            Vector512<double> s4 = default, s5 = default, s6 = default, s7 = default;
            var column = matrix + lane;
            for (var k = 0; k < _count; k++, column += _stride)
            {
                var x = Vector512.Create(vector[k]);
                s0 = Vector512.FusedMultiplyAdd(x, Vector512.LoadAligned(column), s0);
                s1 = Vector512.FusedMultiplyAdd(x, Vector512.LoadAligned(column + 8), s1);
                s2 = Vector512.FusedMultiplyAdd(x, Vector512.LoadAligned(column + 16), s2);
                s3 = Vector512.FusedMultiplyAdd(x, Vector512.LoadAligned(column + 24), s3);
                s4 = Vector512.FusedMultiplyAdd(x, Vector512.LoadAligned(column + 32), s4);
                s5 = Vector512.FusedMultiplyAdd(x, Vector512.LoadAligned(column + 40), s5);
                s6 = Vector512.FusedMultiplyAdd(x, Vector512.LoadAligned(column + 48), s6);
                s7 = Vector512.FusedMultiplyAdd(x, Vector512.LoadAligned(column + 56), s7);
            }

            var target = result + lane;
            s0.StoreAligned(target);
            s1.StoreAligned(target + 8);
            s2.StoreAligned(target + 16);
            s3.StoreAligned(target + 24);
            s4.StoreAligned(target + 32);
            s5.StoreAligned(target + 40);
            s6.StoreAligned(target + 48);
            s7.StoreAligned(target + 56);
        }

        for (; lane < _stride; lane += Vector512<double>.Count)
        {
            Vector512<double> sum = default;
            var column = matrix + lane;
            for (var k = 0; k < _count; k++, column += _stride)
                sum = Vector512.FusedMultiplyAdd(Vector512.Create(vector[k]), Vector512.LoadAligned(column), sum);
            sum.StoreAligned(result + lane);
        }
    }

    private void AddScaled(double factor, double* x, double* y)
    {
        var scale = Vector512.Create(factor);
        for (var p = 0; p < _stride; p += Vector512<double>.Count)
            Vector512.FusedMultiplyAdd(scale, Vector512.LoadAligned(x + p), Vector512.LoadAligned(y + p)).StoreAligned(y + p);
    }
}
