//! A flake that does not evaluate: what is wrong, where, and what to do.

use std::path::{Path, PathBuf};

use super::absolute;
use crate::{
    error::Failure,
    tools::{
        nix::NixError,
        nix_error::{self, Errors},
    },
};

/// The failure that Nix's error means.
pub fn failure(flake: &str, error: NixError, errors: Errors) -> Box<Failure> {
    let said = error.to_string();
    let root = root(flake);
    let text = match errors {
        Errors::Essence => nix_error::trimmed(&said, root.as_deref()),
        Errors::Whole => said.clone(),
    };
    let hint = hint(flake, &said);
    Failure::unchanged(format!("the flake `{flake}` cannot be evaluated")).because(text).hint(hint)
}

/// The folder that a flake's files are in: that of its repository.
fn root(flake: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(absolute(flake));
    let repository = folder.ancestors().find(|path| path.join(".git").exists());
    let root = repository.unwrap_or(&folder).to_owned();
    root.is_dir().then_some(root)
}

/// What the commonest errors mean.
fn hint(flake: &str, text: &str) -> Option<String> {
    if let Some(file) = untracked(flake, text) {
        return Some(format!("git does not track `{file}`: git add {file}"));
    }
    let has = |part: &str| text.contains(part);
    if has("could not find a flake.nix") || has("does not contain a 'flake.nix'") {
        return Some(
            "run deploy in the flake's folder, or name it: deploy path/to/flake#machine".into(),
        );
    }
    if has("how nix ended is not known") {
        return Some(
            "is SIGCHLD ignored where deploy was started? Start it from another shell".into(),
        );
    }
    has("there is no `nix`").then(|| "install Nix: https://nixos.org/download".into())
}

/// The file that Nix misses because git does not track it: Nix sees tracked
/// files only, and says just that a path does not exist.
fn untracked(flake: &str, text: &str) -> Option<String> {
    let root = root(flake).filter(|root| root.join(".git").exists())?;
    let missing = text.lines().find_map(|line| {
        let quoted = |mark: &str| line.split(mark).nth(1).and_then(|rest| rest.split('\'').next());
        if line.contains("is not tracked by Git") {
            return quoted("Path '").or_else(|| quoted("path '")).map(str::to_owned);
        }
        let below = line.split("-source/").nth(1)?;
        let end = below.find(['\'', '"', ':']).unwrap_or(below.len());
        (line.contains("does not exist") || line.contains("No such file"))
            .then(|| below[..end].to_owned())
    })?;
    let exists =
        root.join(&missing).exists() || Path::new(&absolute(flake)).join(&missing).exists();
    exists.then_some(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_untracked_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        std::fs::write(folder.path().join("disko.nix"), "").unwrap();
        let flake = folder.path().to_str().unwrap();
        for said in [
            "error: path '/nix/store/x-source/disko.nix' does not exist",
            "error: Path 'disko.nix' in the repository \"/home/x\" is not tracked by Git.",
        ] {
            assert_eq!(untracked(flake, said).as_deref(), Some("disko.nix"), "{said}");
        }
        assert_eq!(
            untracked(flake, "error: path '/nix/store/x-source/gone.nix' does not exist"),
            None
        );
    }
}
