//! The lab's cache of slow builds: `~/.cache/deploy-lab`.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};

/// The lab's cache folder. A missing folder is created.
///
/// # Errors
/// When `HOME` is not set or the folder cannot be made.
pub fn folder() -> Result<PathBuf> {
    let home = std::env::var_os("HOME").context("HOME is not set: no place for the lab's cache")?;
    let folder = Path::new(&home).join(".cache/deploy-lab");
    fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the lab's cache {}", folder.display()))?;
    Ok(folder)
}

/// A name that depends on `recipe`. Two checkouts with different recipes therefore keep both
/// results side by side.
///
/// A new Rust release may hash differently; the result is then built again.
pub fn version(recipe: &[&str]) -> String {
    let mut hasher = DefaultHasher::new();
    recipe.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Takes the lock for building `name`, waiting for other processes. The lock is released when the
/// value is dropped or the process dies.
///
/// # Errors
/// When the lock file cannot be made or locked.
pub fn lock(name: &str) -> Result<File> {
    let path = folder()?.join(format!("{name}.lock"));
    let file = File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
    flock(&file, FlockOperation::LockExclusive)
        .with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn another_recipe_has_another_version() {
        assert_ne!(version(&["a", "b"]), version(&["ab"]));
        assert_eq!(version(&["a", "b"]), version(&["a", "b"]));
    }
}
