//! Pages in `docs` that are generated from results, never written by hand.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

/// A page.
pub struct Document {
    pub(super) name: &'static str,
    pub(super) make: fn() -> Result<String>,
    /// Selects what to compare of the page in `docs` and of the newly generated one.
    pub(super) compared: fn(String, String) -> Result<(String, String)>,
}

impl Document {
    fn path(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(self.name)
    }

    /// Generates the text from the results of the last runs.
    ///
    /// # Errors
    /// When a file of what was seen cannot be read.
    pub fn text(&self) -> Result<String> {
        (self.make)()
    }

    /// Writes the page to `docs`.
    ///
    /// # Errors
    /// When it cannot be made or written.
    pub fn write(&self) -> Result<()> {
        let path = self.path();
        fs::write(&path, self.text()?).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Compares the page in `docs` with the results.
    ///
    /// # Errors
    /// When they differ; the error names the first lines that do.
    pub fn check(&self) -> Result<()> {
        let (path, name) = (self.path(), self.name);
        let kept =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let (kept, made) = (self.compared)(kept, self.text()?)?;
        let differs = kept.lines().zip(made.lines()).find(|(kept, made)| kept != made);
        if let Some((kept, made)) = differs {
            bail!("docs/{name} says\n  {kept}\nand what was seen is\n  {made}");
        }
        ensure!(kept == made, "docs/{name} and what was seen are of different lengths");
        Ok(())
    }
}
