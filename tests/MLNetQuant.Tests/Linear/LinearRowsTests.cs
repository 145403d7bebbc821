using MLNetQuant.Tests.Data;

namespace MLNetQuant.Tests.Linear;

public sealed class LinearRowsTests
{
    [Fact]
    public void Features_and_classes_have_names()
    {
        var schema = SchemaText.Describe(LinearRows.View(new(seed: 1), "MulticlassClassification", 10, 1).Schema);
        Assert.Contains("|feature 59", schema, StringComparison.Ordinal);
        Assert.Contains("KeyValues Vector<String, 4> = class 0|class 1|class 2|class 3", schema, StringComparison.Ordinal);
        Assert.DoesNotContain("class", SchemaText.Describe(LinearRows.View(new(seed: 1), "Regression", 10, 1).Schema), StringComparison.Ordinal);
    }
}
