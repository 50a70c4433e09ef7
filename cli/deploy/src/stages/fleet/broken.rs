//! Failures of an evaluation: what is wrong, where, and what to do.

use std::path::{Path, PathBuf};

use super::{apart::EvaluationStep, source};
use crate::{
    error::Failure,
    report::{Event, Report},
    stages::{flake::Selection, fleet::overrides::Overrides},
    tools::nix::{
        NixDiagnosis, NixError,
        essence::{self, Errors},
    },
};

/// The failure for an error of Nix.
pub fn failure(flake: &str, error: NixError, errors: Errors) -> Box<Failure> {
    of(flake, &format!("the flake `{flake}`"), error, errors)
}

/// Reports machines that cannot be evaluated, while others may.
pub struct Broken<'a> {
    selection: &'a Selection,
    overrides: &'a Overrides,
    report: &'a Report,
    /// The message of each machine so far.
    said: Vec<(String, Vec<String>)>,
}

impl<'a> Broken<'a> {
    /// No failures yet.
    pub fn new(selection: &'a Selection, overrides: &'a Overrides, report: &'a Report) -> Self {
        Self { selection, overrides, report, said: Vec::new() }
    }

    /// Reports a step that went wrong or takes long. A message that was already shown for another machine is not repeated.
    pub fn tell(&mut self, told: EvaluationStep<'_>) {
        let (name, error) = match told {
            EvaluationStep::Builds(derivation) => {
                let flake = self.selection.flake.clone();
                let building = Some(derivation.to_owned());
                return self.report.tell(Event::Evaluating { flake, building });
            }
            EvaluationStep::Apart => {
                let text = "not all machines can be evaluated: they are evaluated apart, to find \
                            those that can"
                    .into();
                return self.report.tell(Event::Warning { machine: None, text });
            }
            EvaluationStep::Failed(name, error) => (name, error),
            EvaluationStep::Evaluated(_) => return,
        };
        let flake = &self.selection.flake;
        let mut failure = of(flake, name, error, self.overrides.errors);
        match self.said.iter().find(|(_, causes)| *causes == failure.causes) {
            Some((other, _)) => failure.causes = vec![format!("the same as of {other}")],
            None => self.said.push((name.to_owned(), failure.causes.clone())),
        }
        self.report.tell(Event::NotEvaluated { machine: name.to_owned(), failure });
    }
}

fn of(flake: &str, what: &str, error: NixError, errors: Errors) -> Box<Failure> {
    let said = error.to_string();
    let root = root(flake);
    let text = match errors {
        Errors::Essence => essence::trimmed(&said, root.as_deref()),
        Errors::Whole => said.clone(),
    };
    let hint = hint(flake, &error);
    Failure::unchanged(format!("{what} cannot be evaluated")).because(text).hint(hint)
}

/// The folder of a flake's files, which is its repository.
fn root(flake: &str) -> Option<PathBuf> {
    let folder = source::folder(flake)?;
    let repository = folder.ancestors().find(|path| path.join(".git").exists());
    Some(repository.unwrap_or(&folder).to_owned())
}

/// What to do about the most common errors.
fn hint(flake: &str, error: &NixError) -> Option<String> {
    if matches!(error, NixError::Missing(_)) {
        return Some("install Nix: https://nixos.org/download".into());
    }
    error.diagnoses().into_iter().find_map(|diagnosis| match diagnosis {
        NixDiagnosis::NoSuchFile(file) => match unseen(flake, file)? {
            UnseenFile::InSubmodule(file) => Some(format!(
                "`{file}` is in a submodule, which Nix leaves out: deploy '{}#MACHINE', or \
                 `inputs.self.submodules = true` in flake.nix with Nix 2.27 and later",
                with_submodules(flake)
            )),
            UnseenFile::Untracked(file) => {
                Some(format!("git does not track `{file}`: git add {file}"))
            }
        },
        NixDiagnosis::BuildsToEvaluate => Some(
            "it imports what it builds first: to allow that, deploy … -- --option \
             allow-import-from-derivation true"
                .into(),
        ),
        NixDiagnosis::NoFlake => Some(
            "run deploy in the flake's folder, or name it: deploy path/to/flake#machine".into(),
        ),
        _ => None,
    })
}

/// The reference with submodules. Only references to git have them.
fn with_submodules(flake: &str) -> String {
    let and = if flake.contains('?') { '&' } else { '?' };
    format!("{flake}{and}submodules=1")
}

/// Why Nix does not see an existing file.
#[derive(Debug, PartialEq, Eq)]
enum UnseenFile {
    Untracked(String),
    InSubmodule(String),
}

/// Why Nix misses an existing file of the flake: git does not track it, or it is in a submodule.
/// Nix sees only the tracked files of the repository, and says no more than that a path does not
/// exist.
fn unseen(flake: &str, missing: String) -> Option<UnseenFile> {
    let root = root(flake).filter(|root| root.join(".git").exists())?;
    if is_in_submodule(&root, &missing) {
        return Some(UnseenFile::InSubmodule(missing));
    }
    let exists = root.join(&missing).exists() || source::folder(flake)?.join(&missing).exists();
    exists.then_some(UnseenFile::Untracked(missing))
}

/// Whether the file is in a folder that `.gitmodules` names, checked out or not.
fn is_in_submodule(root: &Path, file: &str) -> bool {
    let modules = std::fs::read_to_string(root.join(".gitmodules")).unwrap_or_default();
    let folders = modules.lines().filter_map(|line| {
        let (key, folder) = line.split_once('=')?;
        (key.trim() == "path").then(|| folder.trim().trim_matches('"'))
    });
    let mut folders = folders.filter(|folder| !folder.is_empty());
    folders.any(|folder| Path::new(file).starts_with(folder))
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
        let hint_of = |said: &str| hint(flake, &NixError::Failed(said.into()));
        for said in [
            "error: path '/nix/store/x-source/disko.nix' does not exist",
            "error: Path 'disko.nix' in the repository \"/home/x\" is not tracked by Git.",
        ] {
            let hint = hint_of(said).unwrap();
            assert_eq!(hint, "git does not track `disko.nix`: git add disko.nix", "{said}");
        }
        assert_eq!(hint_of("error: path '/nix/store/x-source/gone.nix' does not exist"), None);
    }

    #[test]
    fn a_file_of_a_submodule_is_told_from_one_that_git_does_not_track() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        std::fs::write(folder.path().join("sub/lib.nix"), "").unwrap();
        let modules = "[submodule \"x\"]\n\tpath = sub\n\turl = ../sub\n";
        std::fs::write(folder.path().join(".gitmodules"), modules).unwrap();
        let flake = folder.path().to_str().unwrap();
        for file in ["sub/lib.nix", "sub/not-checked-out.nix"] {
            let said = format!("error: path '/nix/store/x-source/{file}' does not exist");
            assert_eq!(unseen(flake, file.into()), Some(UnseenFile::InSubmodule(file.into())));
            let hint = hint(flake, &NixError::Failed(said)).unwrap();
            assert!(hint.contains(&format!("{flake}?submodules=1#MACHINE")), "{hint}");
        }
        assert_eq!(with_submodules("git+file:///x?ref=y"), "git+file:///x?ref=y&submodules=1");
    }
}
