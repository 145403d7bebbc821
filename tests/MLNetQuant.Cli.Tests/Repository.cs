namespace MLNetQuant.Cli.Tests;

/// <summary>Files of the repository and beside it.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string SampleModel { get; } = Path.Combine(Root, "samples", "data", "fmnist_cnn.onnx");

    public static string Shared { get; } = Path.GetFullPath(Path.Combine(Root, "..", "shared"));

    /// <summary>Writes the first images of the calibration excerpt, pixels divided by 255, as an .npy.</summary>
    public static void WriteCalibrationImages(string path, int rows, params int[] imageShape)
    {
        var images = Path.Combine(Root, "samples", "data", "fashion-mnist", "train-1024-images-idx3-ubyte.gz");
        File.WriteAllBytes(path, IdxImages.AsNpy(images, rows, imageShape));
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "MLNetQuant.sln")))
                return folder.FullName;
        }

        throw new DirectoryNotFoundException("No folder above the tests holds MLNetQuant.sln.");
    }
}
