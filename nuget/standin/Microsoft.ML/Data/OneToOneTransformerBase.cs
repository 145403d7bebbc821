using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A transformer whose every output column comes from one input column.</summary>
public abstract class OneToOneTransformerBase : RowToRowTransformerBase
{
    internal readonly (string outputColumnName, string inputColumnName)[] ColumnPairs;

    private protected OneToOneTransformerBase(
        IHost host, params (string outputColumnName, string inputColumnName)[] columns)
        : base(host)
    {
        host.CheckValue(columns, nameof(columns));
        var outputs = new HashSet<string>();
        foreach ((string output, string input) in columns)
        {
            host.CheckNonEmpty(input, nameof(columns));
            host.CheckNonEmpty(output, nameof(columns));
            if (!outputs.Add(output))
                throw Contracts.ExceptParam(nameof(columns), $"Name of the result column '{output}' specified multiple times");
        }
        ColumnPairs = columns;
    }

    private protected virtual void CheckInputColumn(DataViewSchema inputSchema, int col, int srcCol)
    {
    }

    private protected abstract class OneToOneMapperBase : MapperBase
    {
        /// <summary>The input column of each added column.</summary>
        protected readonly int[] Sources;

        protected OneToOneMapperBase(IHost host, OneToOneTransformerBase parent, DataViewSchema inputSchema)
            : base(host, inputSchema, parent)
        {
            Sources = new int[parent.ColumnPairs.Length];
            for (int i = 0; i < Sources.Length; i++)
            {
                string name = parent.ColumnPairs[i].inputColumnName;
                Sources[i] = inputSchema.GetColumnOrNull(name)?.Index
                    ?? throw host.ExceptMissingColumn(nameof(inputSchema), "input", name);
                parent.CheckInputColumn(inputSchema, i, Sources[i]);
            }
        }

        private protected override Func<int, bool> GetDependenciesCore(Func<int, bool> activeOutput)
        {
            var active = new bool[InputSchema.Count];
            for (int i = 0; i < Sources.Length; i++)
                active[Sources[i]] |= activeOutput(i);
            return column => active[column];
        }
    }
}
