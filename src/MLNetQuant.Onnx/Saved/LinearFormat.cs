using System.Buffers.Binary;

namespace MLNetQuant.Onnx.Saved;

/// <summary>
/// How linear models are saved. A step that predicts begins with the name of its feature column and holds its model in the
/// folder <c>Model</c>. A calibrated model holds the linear one in <c>Predictor</c>, one versus all holds one for each class in
/// <c>SubPredictor_000</c> and so on. All numbers have four bytes and lie one after the other, so that weights are exchanged
/// in their place.
/// </summary>
internal static class LinearFormat
{
    private const int FloatSize = sizeof(float);
    private const string OneVersusAll = "OVAExec";

    private static readonly HashSet<string> Calibrated =
        ["CaliPredExec", "FeatWCaliPredExec", "PMixCaliPredExec", "SchemaBindableCalibrated"];

    /// <summary>Models of one output.</summary>
    private static readonly Dictionary<string, string> Single = new()
    {
        ["Linear2CExec"] = "LinearBinaryModelParameters",
        ["LinearRegressionExec"] = "LinearRegressionModelParameters",
        ["PoissonRegressionExec"] = "PoissonRegressionModelParameters",
    };

    /// <summary>Models of one output for each class.</summary>
    private static readonly Dictionary<string, string> Multiclass = new()
    {
        ["MulticlassLinear"] = "LinearMulticlassModelParameters",
        ["MultiClassLRExec"] = "MaximumEntropyModelParameters",
    };

    /// <summary>What predicts in a step.</summary>
    public static Predictor Predictors(ModelZip zip, string step)
    {
        var folders = new List<string>();
        var (signature, type) = Find($"{step}/Model");
        return new(signature, type, folders);

        (string Signature, string Type) Find(string folder)
        {
            var key = zip.FindKey(folder) ?? throw new QuantizationException($"The step '{step}' holds no model: save the model again.");
            var signature = key.LoaderSignature;
            if (Single.GetValueOrDefault(signature) is { } type || Multiclass.TryGetValue(signature, out type))
            {
                folders.Add(folder);
                return (signature, type);
            }

            if (Calibrated.Contains(signature))
                return Find($"{folder}/Predictor");
            if (signature == OneVersusAll)
            {
                var classes = zip.Decode(folder, () => CountOfClasses(key));
                for (var i = 0; i < classes; i++)
                {
                    // One that is not linear leaves the whole model alone.
                    var found = Find($"{folder}/SubPredictor_{i:000}");
                    if (folders.Count == 0)
                        return found;
                }

                return (signature, "OneVersusAllModelParameters");
            }

            folders.Clear();
            return (signature, signature);
        }
    }

    /// <exception cref="QuantizationException">The model is damaged.</exception>
    public static SavedLinearModel Read(ModelZip zip, SavedStep step)
    {
        var key = zip.FindKey(step.Folder)!;
        return zip.Decode(step.Folder, () =>
        {
            var column = key.String(key.Open().ReadInt32()) ?? throw new InvalidDataException("it has no feature column");
            var folders = Predictors(zip, step.Folder).Folders;
            LinearOutput[] outputs = [.. folders.SelectMany(f => ReadOutputs(zip, f))];
            return outputs.Length > 0 && outputs.All(o => o.FeatureCount == outputs[0].FeatureCount)
                ? new SavedLinearModel(step.TypeName, column, outputs) { KeepsStatistics = folders.Any(f => zip.FindKey($"{f}/ModelStats") is not null) }
                : throw new InvalidDataException("its classes disagree about the number of features");
        });
    }

    /// <summary>Exchanges weights and biases in their place.</summary>
    public static ModelZip Write(ModelZip zip, SavedLinearModel model)
    {
        foreach (var entry in model.Outputs.GroupBy(o => o.Entry))
        {
            byte[] bytes = [.. zip.Find(entry.Key)!];
            foreach (var output in entry)
            {
                BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(output.BiasAt), output.Bias);
                for (var i = 0; i < output.Weights.Count; i++)
                    BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(output.WeightsAt + (i * FloatSize)), output.Weights[i]);
            }

            zip = zip.With(entry.Key, bytes);
        }

        return zip;
    }

    private static int CountOfClasses(ModelKey key)
    {
        using var data = key.Open();
        _ = data.ReadInt32(); // bytes of a float
        _ = data.ReadByte(); // how scores become probabilities
        return data.ReadInt32();
    }

    private static LinearOutput[] ReadOutputs(ModelZip zip, string folder)
    {
        var key = zip.FindKey(folder)!;
        using var data = key.Open();
        if (data.ReadInt32() != FloatSize)
            throw new InvalidDataException("its numbers are not of single precision");
        var reader = new NumberReader(data, key.DataStart, ModelZip.KeyOf(folder));
        return Single.ContainsKey(key.LoaderSignature) ? [ReadSingle(reader)] : ReadMulticlass(reader);
    }

    /// <summary>bias; number of features; indices with their count; weights with theirs: no indices, and all of them, if dense.</summary>
    private static LinearOutput ReadSingle(NumberReader reader)
    {
        var biasAt = reader.Skip(1);
        var features = reader.Count();
        var indices = reader.Integers(reader.Count());
        var count = reader.Count();
        CheckCount(count == (indices.Length > 0 ? indices.Length : count == 0 ? 0 : features));
        return reader.Output(features, biasAt, reader.Skip(count), count, count < features ? indices : null);
    }

    /// <summary>
    /// Numbers of features and classes; biases; then dense: 0, 0 and all weights with their count, class after class; or sparse,
    /// row by row: where each class starts, indices, weights, each with their count.
    /// </summary>
    private static LinearOutput[] ReadMulticlass(NumberReader reader)
    {
        var features = reader.Count();
        var classes = reader.Count();
        var biasAt = reader.Skip(classes);
        var starts = reader.Integers(reader.Count());
        var indices = reader.Integers(reader.Count());
        var count = reader.Count();
        var dense = starts.Length == 0;
        CheckCount(dense
            ? indices.Length == 0 && count == (long)classes * features
            : starts.Length == classes + 1 && starts[0] == 0 && starts[^1] == count && indices.Length == count);
        var weightsAt = reader.Skip(count);
        return [.. Enumerable.Range(0, classes).Select(c =>
        {
            var (first, end) = dense ? (c * features, (c + 1) * features) : (starts[c], starts[c + 1]);
            return reader.Output(
                features, biasAt + (c * FloatSize), weightsAt + (first * FloatSize), end - first, dense || end - first == features ? null : indices[first..end]);
        })];
    }

    private static void CheckCount(bool agrees)
    {
        if (!agrees)
            throw new InvalidDataException("its numbers of weights and features disagree");
    }

    /// <summary>What predicts in a step.</summary>
    /// <param name="LoaderSignature">The signature that names it: the linear model's, or that of the part that is not linear.</param>
    /// <param name="TypeName">What ML.NET calls it.</param>
    /// <param name="Folders">Where the linear models stand; none where it is not linear.</param>
    public sealed record Predictor(string LoaderSignature, string TypeName, IReadOnlyList<string> Folders)
    {
        public bool IsLinear => Folders.Count > 0;
    }

    /// <summary>Reads numbers and knows where in the entry they stand.</summary>
    private sealed class NumberReader(BinaryReader data, int start, string entry)
    {
        private int Position => checked(start + (int)data.BaseStream.Position);

        public int Count() => data.ReadInt32() is >= 0 and var count ? count : throw new InvalidDataException("it has a negative count");

        public int[] Integers(int count)
        {
            Check(count);
            return [.. Enumerable.Range(0, count).Select(_ => data.ReadInt32())];
        }

        /// <summary>Passes floats.</summary>
        /// <returns>Where the first stands.</returns>
        public int Skip(int count)
        {
            Check(count);
            var at = Position;
            data.BaseStream.Position += (long)count * FloatSize;
            return at;
        }

        public LinearOutput Output(int features, int biasAt, int weightsAt, int count, int[]? indices)
        {
            if (indices is not null && indices.Where((index, i) => index < (i == 0 ? 0 : indices[i - 1] + 1) || index >= features).Any())
                throw new InvalidDataException("its features are not in order");
            return new()
            {
                FeatureCount = features,
                Bias = Read(biasAt),
                Weights = [.. Enumerable.Range(0, count).Select(i => Read(weightsAt + (i * FloatSize)))],
                Features = indices,
                Entry = entry,
                BiasAt = biasAt,
                WeightsAt = weightsAt,
            };
        }

        private float Read(int at)
        {
            data.BaseStream.Position = at - start;
            return data.ReadSingle();
        }

        private void Check(int count)
        {
            if ((long)count * FloatSize > data.BaseStream.Length - data.BaseStream.Position)
                throw new InvalidDataException("it is cut off");
        }
    }
}
