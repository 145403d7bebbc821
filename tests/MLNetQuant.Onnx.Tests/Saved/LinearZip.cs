namespace MLNetQuant.Onnx.Tests.Saved;

/// <summary>Linear models as ML.NET saves them, and what they hold.</summary>
/// <param name="Bytes">The zip: a chain of a copying step, a normalizer and the model.</param>
/// <param name="Type">What ML.NET calls the model.</param>
/// <param name="Weights">Weights of each output, zero where none is stored.</param>
/// <param name="Biases">Its bias.</param>
internal sealed record LinearZip(byte[] Bytes, string Type, float[][] Weights, float[] Biases)
{
    private const string Folder = "TransformerChain/Transform_002";
    private const uint Version = 0x00020001;

    public static readonly string[] Kinds =
    [
        "binary", "regression", "poisson", "multiclass", "entropy", "calibrated", "mixed", "ranking", "ova", "calibrated ova",
        "sparse binary", "sparse regression", "sparse multiclass", "sparse ova", "windows",
    ];

    /// <summary>A model of a kind; the same numbers on every run.</summary>
    public static LinearZip Of(string kind, int features = 40, int classes = 5)
    {
        var random = new Random(7);
        var sparse = kind.StartsWith("sparse", StringComparison.Ordinal);
        var many = kind.Contains("class", StringComparison.Ordinal) || kind.Contains("ova", StringComparison.Ordinal) || kind == "entropy";
        float[][] weights = [.. Enumerable.Range(0, many ? classes : 1).Select(_ => Enumerable.Range(0, features).Select(_ =>
            sparse && random.NextDouble() < 0.6 ? 0 : Gaussian(random)).ToArray())];
        float[] biases = [.. weights.Select(_ => Gaussian(random))];
        var zip = new ZipWriter { Separator = kind == "windows" ? '\\' : '/' }
            .Chain("TransformerChain", 3)
            .Key("TransformerChain/Transform_000", "CopyTransform", d => d.Write(1))
            .Key("TransformerChain/Transform_001", "Normalizer", d => d.Write(1));
        var type = kind.Replace("sparse ", "", StringComparison.Ordinal) switch
        {
            "regression" => Write(zip, "RegressionPredXfer", "LinearRegressionExec", "LinearRegressionModelParameters"),
            "poisson" => Write(zip, "RegressionPredXfer", "PoissonRegressionExec", "PoissonRegressionModelParameters"),
            "ranking" => Write(zip, "RankingPredXfer", "LinearRegressionExec", "LinearRegressionModelParameters"),
            "calibrated" => Calibrated(zip, "CaliPredExec"),
            "mixed" => Calibrated(zip, "PMixCaliPredExec"),
            "multiclass" => Multiclass(zip, "MulticlassLinear", "LinearMulticlassModelParameters"),
            "entropy" => Multiclass(zip, "MultiClassLRExec", "MaximumEntropyModelParameters"),
            "ova" or "calibrated ova" => OneVersusAll(zip, kind == "calibrated ova"),
            _ => Write(zip, "BinaryPredXfer", "Linear2CExec", "LinearBinaryModelParameters"),
        };
        return new(zip.ToBytes(), type, weights, biases);

        string Write(ZipWriter to, string step, string signature, string name)
        {
            to.Prediction(Folder, step, "Features");
            Single(to, $"{Folder}/Model", signature, weights[0], biases[0], sparse);
            return name;
        }

        string Calibrated(ZipWriter to, string signature)
        {
            to.Prediction(Folder, "BinaryPredXfer", "Features").Key($"{Folder}/Model", signature, _ => { });
            Single(to, $"{Folder}/Model/Predictor", "Linear2CExec", weights[0], biases[0], sparse);
            to.Key($"{Folder}/Model/Calibrator", "PlattCaliExec", d => d.Write(1.5));
            return "LinearBinaryModelParameters";
        }

        string Multiclass(ZipWriter to, string signature, string name)
        {
            to.Prediction(Folder, "MulticlassPredXfer", "Features");
            Matrix(to, $"{Folder}/Model", signature, weights, biases, sparse);
            return name;
        }

        string OneVersusAll(ZipWriter to, bool calibrated)
        {
            to.Prediction(Folder, "MulticlassPredXfer", "Features").Key($"{Folder}/Model", "OVAExec", d =>
            {
                d.Write(sizeof(float));
                d.Write((byte)1);
                d.Write(classes);
            });
            for (var i = 0; i < classes; i++)
            {
                var sub = $"{Folder}/Model/SubPredictor_{i:000}";
                if (calibrated)
                    to.Key(sub, "CaliPredExec", _ => { }).Key($"{sub}/Calibrator", "PlattCaliExec", d => d.Write(1.5));
                Single(to, calibrated ? $"{sub}/Predictor" : sub, "Linear2CExec", weights[i], biases[i], sparse);
            }

            return "OneVersusAllModelParameters";
        }
    }

    /// <summary>The scores of rows, in double precision.</summary>
    public static double[] Score(IReadOnlyList<float[]> weights, IReadOnlyList<float> biases, float[] rows)
    {
        var width = weights[0].Length;
        return [.. Enumerable.Range(0, rows.Length / width).SelectMany(r => weights.Select((w, i) =>
            biases[i] + w.Select((v, t) => (double)v * rows[(r * width) + t]).Sum()))];
    }

    /// <summary>The weights that a model has, zero where it stores none.</summary>
    public static float[][] Dense(SavedLinearModel model) => [.. model.Outputs.Select(o =>
    {
        var dense = new float[o.FeatureCount];
        for (var i = 0; i < o.Weights.Count; i++)
            dense[o.Features?[i] ?? i] = o.Weights[i];
        return dense;
    })];

    /// <summary>Rows of correlated features with means of their own.</summary>
    public static float[] Rows(int count, int features, Func<int, float>? scale = null)
    {
        var random = new Random(3);
        var rows = new float[count * features];
        for (var row = 0; row < count; row++)
        {
            var common = Gaussian(random);
            for (var t = 0; t < features; t++)
                rows[(row * features) + t] = (Gaussian(random) + common + (t % 3)) * (scale?.Invoke(t) ?? 1);
        }

        return rows;
    }

    public static void Single(ZipWriter zip, string folder, string signature, float[] weights, float bias, bool sparse) =>
        zip.Key(folder, signature, data =>
        {
            int[] stored = [.. Enumerable.Range(0, weights.Length).Where(t => weights[t] != 0)];
            data.Write(sizeof(float));
            data.Write(bias);
            data.Write(weights.Length);
            data.Write(sparse ? stored.Length : 0);
            foreach (var t in sparse ? stored : [])
                data.Write(t);
            data.Write(sparse ? stored.Length : weights.Length);
            foreach (var w in sparse ? stored.Select(t => weights[t]) : weights)
                data.Write(w);
        }, version: Version);

    private static void Matrix(ZipWriter zip, string folder, string signature, float[][] weights, float[] biases, bool sparse) =>
        zip.Key(folder, signature, data =>
        {
            var features = weights[0].Length;
            int[][] stored = [.. weights.Select(w => Enumerable.Range(0, features).Where(t => w[t] != 0).ToArray())];
            data.Write(sizeof(float));
            data.Write(features);
            data.Write(weights.Length);
            foreach (var bias in biases)
                data.Write(bias);
            if (!sparse)
            {
                data.Write(0);
                data.Write(0);
                data.Write(weights.Length * features);
                foreach (var w in weights.SelectMany(w => w))
                    data.Write(w);
                return;
            }

            data.Write(weights.Length + 1);
            var start = 0;
            data.Write(start);
            foreach (var of in stored)
                data.Write(start += of.Length);
            data.Write(start);
            foreach (var t in stored.SelectMany(s => s))
                data.Write(t);
            data.Write(start);
            for (var i = 0; i < weights.Length; i++)
            {
                foreach (var t in stored[i])
                    data.Write(weights[i][t]);
            }
        }, version: Version);

    private static float Gaussian(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
}
