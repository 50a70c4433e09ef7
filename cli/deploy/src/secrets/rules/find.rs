//! Which rules are meant.

use std::path::{Path, PathBuf};

use crate::error::{Failure, Result};

/// Rules that were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesFile {
    /// The file.
    pub file: PathBuf,
    /// The folder that it is in.
    pub folder: PathBuf,
    /// What the evaluation may read: the repository, the flake or, without either, the folder.
    pub root: PathBuf,
}

/// Where rules are, from a folder.
const PLACES: [&str; 2] = ["secrets.nix", "secrets/secrets.nix"];

/// The rules that were named, else those in the current folder or the nearest one above it, no
/// higher than the repository.
pub fn find(named: Option<&Path>, here: &Path) -> Result<RulesFile> {
    let file = match named {
        Some(named) => here.join(named),
        None => upwards(here).ok_or_else(|| none(here))?,
    };
    let file = file.canonicalize().map_err(|error| {
        Failure::unchanged(format!("the rules {} cannot be read", file.display())).because(error)
    })?;
    if !file.is_file() {
        return Err(Failure::unchanged(format!("the rules {} are no file", file.display()))
            .hint(Some("name the file itself, as secrets/secrets.nix".into())));
    }
    let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
    let root = root(&folder).unwrap_or(&folder).to_owned();
    Ok(RulesFile { root, folder, file })
}

fn upwards(here: &Path) -> Option<PathBuf> {
    for folder in here.ancestors() {
        let places = PLACES.iter().map(|place| folder.join(place));
        if let Some(found) = places.into_iter().find(|file| file.is_file()) {
            return Some(found);
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

/// The repository that a folder is in, else the flake.
fn root(folder: &Path) -> Option<&Path> {
    let has = |name: &str| folder.ancestors().find(|path| path.join(name).exists());
    has(".git").or_else(|| has("flake.nix"))
}

fn none(here: &Path) -> Box<Failure> {
    Failure::unchanged("there are no rules that say who can read which secret")
        .because(format!(
            "neither {} nor a folder above it has {}",
            here.display(),
            PLACES.join(" or ")
        ))
        .hint(Some("name them: --rules FILE; docs/secrets.md shows a first one".into()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn rules_are_found_upwards_as_far_as_the_repository() {
        let top = tempfile::tempdir().unwrap();
        let top = top.path().canonicalize().unwrap();
        fs::write(top.join("secrets.nix"), "{}").unwrap();
        let repository = top.join("fleet");
        let inner = repository.join("machines/frame1");
        fs::create_dir_all(&inner).unwrap();
        fs::create_dir_all(repository.join(".git")).unwrap();
        let refused = find(None, &inner).unwrap_err();
        assert!(refused.what.contains("no rules"), "{refused}");
        fs::create_dir_all(repository.join("secrets")).unwrap();
        fs::write(repository.join("secrets/secrets.nix"), "{}").unwrap();
        let found = find(None, &inner).unwrap();
        assert_eq!(found.file, repository.join("secrets/secrets.nix"));
        assert_eq!(found.root, repository);
        assert_eq!(find(None, &repository.join("secrets")).unwrap(), found);
        fs::write(repository.join("secrets.nix"), "{}").unwrap();
        assert_eq!(find(None, &inner).unwrap().folder, repository);
        let named = find(Some(Path::new("../secrets.nix")), &repository).unwrap();
        assert_eq!((named.folder, named.root), (top.clone(), top));
        for wrong in ["missing.nix", "machines"] {
            assert!(find(Some(Path::new(wrong)), &repository).is_err(), "{wrong}");
        }
    }
}
