//! Pages in `docs` that are made of what was seen, never by hand.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

/// A page.
pub struct Document {
    pub(super) name: &'static str,
    pub(super) make: fn() -> Result<String>,
    /// What is compared, of the page in `docs` and of the one that was made now.
    pub(super) compared: fn(String, String) -> Result<(String, String)>,
}

impl Document {
    fn path(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(self.name)
    }

    /// Its text, from what was seen by the last runs.
    ///
    /// # Errors
    /// When a file of what was seen cannot be read.
    pub fn text(&self) -> Result<String> {
        (self.make)()
    }

    /// Writes it.
    ///
    /// # Errors
    /// When it cannot be made or written.
    pub fn write(&self) -> Result<()> {
        let path = self.path();
        fs::write(&path, self.text()?).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Compares it with what was seen.
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
