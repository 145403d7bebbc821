namespace MLNetQuant.Onnx;

/// <summary>Writes beside, then renames: a reader never sees half a file, and a failure leaves none.</summary>
public static class AtomicFile
{
    /// <summary>Writes a file whole or not at all.</summary>
    /// <param name="path">Where to write; an existing file is replaced.</param>
    /// <param name="write">Writes the content.</param>
    /// <exception cref="QuantizationException">The path cannot be written.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        WriteAll((path, write));
    }

    /// <summary>Writes files that belong together, all or none; the last one, which names the others, appears last.</summary>
    internal static void WriteAll(params ReadOnlySpan<(string Path, Action<Stream> Write)> files)
    {
        var steps = new List<Replacement>();
        var path = "";
        try
        {
            foreach (var (target, write) in files)
            {
                path = target;
                var step = new Replacement(Path.GetFullPath(path));
                steps.Add(step);
                using var stream = new FileStream(step.Beside, FileMode.CreateNew, FileAccess.Write);
                write(stream);
            }

            for (var i = 0; i < steps.Count; i++)
            {
                path = files[i].Path;
                steps[i].Place(keepsOld: i < steps.Count - 1);
            }

            // All are in place: whatever happens to the old ones, the new ones stay.
            foreach (var step in steps)
                step.Keep();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new QuantizationException(
                $"The file '{path}' cannot be written ({e.Message.TrimEnd('.')}): give a path in an existing folder that you may write to.", e);
        }
        finally
        {
            foreach (var step in steps)
                step.Undo();
        }

        foreach (var step in steps)
            step.Forget();
    }

    /// <summary>One file on its way; undone unless kept.</summary>
    private sealed class Replacement(string target)
    {
        private readonly string _old = Temporary(target);
        private bool _placed;
        private bool _kept;

        public string Beside { get; } = Temporary(target);

        /// <summary>Renames the new file; the old one is kept aside where a later rename may fail.</summary>
        public void Place(bool keepsOld)
        {
            if (keepsOld && File.Exists(target))
                File.Move(target, _old);
            File.Move(Beside, target, overwrite: true);
            _placed = true;
        }

        /// <summary>The new file stays.</summary>
        public void Keep() => _kept = true;

        /// <summary>Deletes the old file.</summary>
        /// <exception cref="QuantizationException">It cannot be deleted.</exception>
        public void Forget()
        {
            try
            {
                File.Delete(_old); // no error where there is none
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new QuantizationException(
                    $"The file '{target}' is written, but '{_old}', which it replaces, cannot be deleted ({e.Message.TrimEnd('.')}): delete it.", e);
            }
        }

        public void Undo()
        {
            if (_kept)
                return;

            // File.Delete itself throws where the folder is missing, which would hide the sentence of the failure.
            if (File.Exists(Beside))
                File.Delete(Beside);
            if (_placed)
                File.Delete(target);
            if (File.Exists(_old))
                File.Move(_old, target, overwrite: true);
        }

        private static string Temporary(string target) =>
            Path.Combine(Path.GetDirectoryName(target) ?? target, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}.tmp");
    }
}
