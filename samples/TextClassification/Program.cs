using Microsoft.ML;
using MLNetQuant;
using MLNetQuant.Algorithms;
using Samples;

// Text → words → numbers → a recurrent network → what is asked for. The embedding, the GRU and the last layer are
// quantized; the calibration sentences pass through the same featurizer as any others.
var ml = new MLContext(seed: 1);
var calibration = ml.Data.LoadFromEnumerable(Intents.Read("train-512"));
var test = ml.Data.LoadFromEnumerable(Intents.Read("test-1000"));
var tokenize = ml.Transforms.CustomMapping<Sentence, Tokens>(Intents.Tokenize, contractName: null);

Console.WriteLine("model            bytes    top-1");
Print("float", new FileInfo(Intents.ModelFile).Length, tokenize.Append(ml.Transforms.ApplyOnnxModel(Intents.ModelFile)).Fit(calibration));
foreach (var bits in new[] { 8, 4, 2 })
{
    foreach (var algorithm in new IWeightQuantizer[] { new Msq(), new Best() })
    {
        var options = new QuantizationOptions { Bits = bits, Algorithm = algorithm };
        using var model = tokenize.Append(ml.Transforms.QuantizeWeights(Intents.ModelFile, options)).Fit(calibration);
        Print($"{bits} bits {algorithm.Name}", model.LastTransformer.Report.QuantizedBytes, model);
        if (bits == 2 && algorithm is Best)
            Ask(model, "could you please wake me at seven tomorrow", "do not play the radio now");
    }
}

void Print(string name, long bytes, ITransformer model)
{
    var scores = ml.Data.CreateEnumerable<Scores>(model.Transform(test), reuseRowObject: true);
    Console.WriteLine($"{name,-12} {bytes,9:N0}  {scores.Average(s => s.Best == s.Intent ? 1.0 : 0.0),7:P2}");
}

void Ask(ITransformer model, params string[] sentences)
{
    using var engine = ml.Model.CreatePredictionEngine<Sentence, Scores>(model, new PredictionEngineOptions { OwnsTransformer = false });
    foreach (var text in sentences)
        Console.WriteLine($"  \"{text}\": {engine.Predict(new Sentence { Text = text }).Best}");
}
