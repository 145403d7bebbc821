using System.Reflection;

namespace Microsoft.ML.Runtime;

public sealed class ComponentCatalog
{
    internal ComponentCatalog()
    {
    }

    public void RegisterAssembly(Assembly assembly, bool throwOnError = true) =>
        throw Contracts.ExceptLacking("the component catalog (RegisterAssembly)");
}
