using System.Globalization;
using MLNetQuant.Onnx;

namespace MLNetQuant.Benchmarks.Accuracy;

/// <summary>−ln of the probability that a language model gives each next token, the mean over all of them.</summary>
internal sealed class NextTokenLoss(Manifest manifest, ManifestModel model) : Metric
{
    private readonly OnnxTensor _tokens = RowReader.Read(manifest, model.Test.Input);

    public override string Description =>
        FormattableString.Invariant($"Negative log-likelihood of the next token in nats, lower is better, over {_tokens.Shape[0] * (_tokens.Shape[1] - 1):N0} tokens");

    public override string ManifestName => "nll";

    public override bool LowerIsBetter => true;

    public override string Text(double figure) => figure.ToString("0.0000", CultureInfo.InvariantCulture);

    public override double Measure(ModelSession session)
    {
        var length = (int)_tokens.Shape[1];
        var (sum, count) = (0.0, 0);
        foreach (var (_, batch) in Batches(_tokens, model.Batch))
        {
            var logits = session.Run(new Dictionary<string, OnnxTensor> { [model.Input] = batch }, model.Output)[0];
            var words = (int)logits.Shape[^1];
            var tokens = batch.Values<long>();
            for (var position = 0; position < tokens.Length; position++)
            {
                if (position % length == length - 1)
                    continue; // nothing follows a row's last token
                sum += Loss(logits.Values<float>().Slice(position * words, words), (int)tokens[position + 1]);
                count++;
            }
        }

        return sum / count;
    }

    private static double Loss(ReadOnlySpan<float> logits, int token)
    {
        var max = float.NegativeInfinity;
        foreach (var logit in logits)
            max = Math.Max(max, logit);
        var sum = 0.0;
        foreach (var logit in logits)
            sum += Math.Exp(logit - max);
        return max + Math.Log(sum) - logits[token];
    }
}
