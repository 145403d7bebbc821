using System.Numerics;

namespace MLNetQuant.Numerics;

/// <summary>
/// Random numbers without state: each is a function of (seed, layer, neuron, index), so that results do not depend
/// on the order of the work or the number of threads.
/// </summary>
/// <remarks>
/// Philox-4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
/// The key is the seed; the counter is (index, neuron, layer, purpose).
/// </remarks>
public sealed class CounterRandom
{
    private readonly uint _key0;
    private readonly uint _key1;
    private readonly uint _layer;
    private readonly uint _purpose;

    /// <summary>The generator of one layer.</summary>
    /// <param name="seed">Any number; all 64 bits count.</param>
    /// <param name="layer">Number of the layer, so that layers draw independently.</param>
    public CounterRandom(long seed, int layer) : this(seed, layer, purpose: 0)
    {
    }

    /// <summary>The generator of one layer for one of several purposes, which draw independently.</summary>
    internal CounterRandom(long seed, int layer, int purpose)
    {
        _key0 = (uint)seed;
        _key1 = (uint)(seed >>> 32);
        _layer = (uint)layer;
        _purpose = (uint)purpose;
    }

    /// <summary>A number uniform on [0, 1), a multiple of 2⁻⁵³.</summary>
    /// <param name="neuron">Output neuron of the layer.</param>
    /// <param name="index">Number of the draw within the neuron: its input.</param>
    public double Uniform(int neuron, int index)
    {
        var (word0, word1, _, _) = Philox4x32((uint)index, (uint)neuron, _layer, _purpose, _key0, _key1);
        var bits = ((ulong)(word0 >> 5) << 26) | (word1 >> 6);
        return bits * (1.0 / (1L << 53));
    }

    /// <summary>The numbers of successive neurons at one index: those of <see cref="Uniform(int, int)"/>.</summary>
    /// <param name="firstNeuron">Neuron of the first number.</param>
    /// <param name="index">Number of the draw within each neuron.</param>
    /// <param name="values">Receives one number per neuron.</param>
    public void Uniform(int firstNeuron, int index, Span<double> values)
    {
        var i = 0;
        for (; i <= values.Length - Vector<ulong>.Count; i += Vector<ulong>.Count)
        {
            var neurons = new Vector<ulong>((uint)(firstNeuron + i)) + Vector<ulong>.Indices;
            Uniform(neurons, (uint)index).CopyTo(values[i..]);
        }

        for (; i < values.Length; i++)
            values[i] = Uniform(firstNeuron + i, index);
    }

    /// <summary>The same rounds on several neurons at once, each 32-bit word in a 64-bit lane.</summary>
    private Vector<double> Uniform(Vector<ulong> neurons, uint index)
    {
        var mask = new Vector<ulong>(uint.MaxValue);
        Vector<ulong> word0 = new(index), word1 = neurons & mask, word2 = new(_layer), word3 = new(_purpose);
        uint key0 = _key0, key1 = _key1;
        for (var round = 0; round < 10; round++)
        {
            var product0 = word0 * new Vector<ulong>(0xD2511F53);
            var product1 = word2 * new Vector<ulong>(0xCD9E8D57);
            word0 = (product1 >>> 32) ^ word1 ^ new Vector<ulong>(key0);
            word1 = product1 & mask;
            word2 = (product0 >>> 32) ^ word3 ^ new Vector<ulong>(key1);
            word3 = product0 & mask;
            key0 += 0x9E3779B9;
            key1 += 0xBB67AE85;
        }

        return Vector.ConvertToDouble(((word0 >>> 5) << 26) | (word1 >>> 6)) * new Vector<double>(1.0 / (1L << 53));
    }

    /// <summary>The ten-round bijection of the paper: four counter words under a key of two words.</summary>
    internal static (uint Word0, uint Word1, uint Word2, uint Word3) Philox4x32(
        uint word0, uint word1, uint word2, uint word3, uint key0, uint key1)
    {
        for (var round = 0; round < 10; round++)
        {
            var product0 = (ulong)0xD2511F53 * word0;
            var product1 = (ulong)0xCD9E8D57 * word2;
            word0 = (uint)(product1 >> 32) ^ word1 ^ key0;
            word1 = (uint)product1;
            word2 = (uint)(product0 >> 32) ^ word3 ^ key1;
            word3 = (uint)product0;
            key0 += 0x9E3779B9; // golden ratio
            key1 += 0xBB67AE85; // √3 − 1
        }

        return (word0, word1, word2, word3);
    }
}
