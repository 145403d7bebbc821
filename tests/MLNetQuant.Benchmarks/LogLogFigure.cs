using System.Globalization;
using System.Text;

namespace MLNetQuant.Benchmarks;

/// <summary>Curves on doubly logarithmic axes, as SVG.</summary>
internal static class LogLogFigure
{
    private const double Width = 640;
    private const double Height = 400;
    private const double Left = 70;
    private const double Right = 150; // room for the names
    private const double Top = 20;
    private const double Bottom = 50;
    private static readonly string[] Colours = ["#7f7f7f", "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd"];

    public static string Draw(IReadOnlyList<(string Name, (double X, double Y)[] Points)> curves, string xName, string yName)
    {
        var points = curves.SelectMany(c => c.Points).ToArray();
        var (left, right) = (Math.Log2(points.Min(p => p.X)), Math.Log2(points.Max(p => p.X)));
        var (low, high) = (Math.Floor(Math.Log10(points.Min(p => p.Y))), Math.Ceiling(Math.Log10(points.Max(p => p.Y))));
        var svg = new StringBuilder();
        Line($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" font-family="sans-serif" font-size="12">""");
        Line($"""<rect width="{Width}" height="{Height}" fill="#ffffff"/>""");
        for (var power = Math.Ceiling(left); power <= right; power++)
        {
            Line($"""<path d="M{X(Math.Pow(2, power)):0.0},{Top}V{Height - Bottom}" stroke="#dddddd"/>""");
            Line($"""<text x="{X(Math.Pow(2, power)):0.0}" y="{Height - Bottom + 18}" text-anchor="middle">{Math.Pow(2, power)}</text>""");
        }

        for (var power = low; power <= high; power++)
        {
            Line($"""<path d="M{Left},{Y(Math.Pow(10, power)):0.0}H{Width - Right}" stroke="#dddddd"/>""");
            Line($"""<text x="{Left - 8}" y="{Y(Math.Pow(10, power)) + 4:0.0}" text-anchor="end">1e{power}</text>""");
        }

        Line($"""<text x="{(Left + Width - Right) / 2}" y="{Height - 10}" text-anchor="middle">{xName}</text>""");
        Line($"""<text transform="translate(16,{(Top + Height - Bottom) / 2}) rotate(-90)" text-anchor="middle">{yName}</text>""");
        var ends = curves.Select((c, i) => (Curve: i, Y: Y(c.Points[^1].Y))).OrderBy(e => e.Y).ToArray();
        var labels = new double[curves.Count];
        for (var i = 0; i < ends.Length; i++)
            labels[ends[i].Curve] = i == 0 ? ends[i].Y : Math.Max(ends[i].Y, labels[ends[i - 1].Curve] + 14); // names do not overlap
        for (var i = 0; i < curves.Count; i++)
        {
            var path = string.Join(' ', curves[i].Points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.X):0.0},{Y(p.Y):0.0}")));
            Line($"""<polyline points="{path}" fill="none" stroke="{Colours[i % Colours.Length]}" stroke-width="2"/>""");
            Line($"""<text x="{Width - Right + 8}" y="{labels[i] + 4:0.0}" fill="{Colours[i % Colours.Length]}">{curves[i].Name}</text>""");
        }

        Line($"</svg>");
        return svg.ToString();

        double X(double value) => Left + ((Math.Log2(value) - left) / (right - left) * (Width - Left - Right));

        double Y(double value) => Top + ((high - Math.Log10(value)) / (high - low) * (Height - Top - Bottom));

        void Line(FormattableString line) => svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }
}
