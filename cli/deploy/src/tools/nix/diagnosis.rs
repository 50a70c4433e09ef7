//! The meaning of Nix's messages. Nix has no error codes, so all knowledge of its wording is here.

use super::NixError;

/// What is wrong, if that matters for the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NixDiagnosis {
    /// Nix sees no file at this path of the flake.
    NoSuchFile(String),
    /// Nix would have to build something to evaluate, and may not.
    BuildsToEvaluate,
    /// It reads something that a pure evaluation does not see.
    NotPure,
    /// There is no flake.
    NoFlake,
    /// The connection to a builder failed.
    NoWayToBuilder,
    /// No builder supports a platform or a feature that is needed.
    NoBuilder,
    /// A disk is full.
    NoRoom,
    /// Something else failed to build first.
    DependencyFailed,
    /// The daemon ignores a setting or a cache.
    SettingIgnored,
}

/// Nix's message about a folder without a flake.
pub(super) const NO_FLAKE_IN_FOLDER: &str = "does not contain a 'flake.nix'";

impl NixDiagnosis {
    /// All that `said` is about, in the order of this list. The causes come before their
    /// consequences.
    pub fn all_of(said: &str) -> Vec<Self> {
        let has = |words: &[&str]| words.iter().any(|words| said.contains(words));
        // `deploy` passes `--log-lines` itself, and nothing is lost if Nix ignores it.
        let is_ignored = has(&["ignoring "]) && has(&["trusted"]) && !has(&["'log-lines'"]);
        let told = [
            said.lines().find_map(missing_file).map(Self::NoSuchFile),
            has(&["allow-import-from-derivation"]).then_some(Self::BuildsToEvaluate),
            has(&IMPURE).then_some(Self::NotPure),
            has(&["could not find a flake.nix", NO_FLAKE_IN_FOLDER]).then_some(Self::NoFlake),
            has(&["failed to start SSH connection"]).then_some(Self::NoWayToBuilder),
            has(&NO_BUILDER).then_some(Self::NoBuilder),
            has(&["No space left", "disk is full"]).then_some(Self::NoRoom),
            has(&["dependencies of derivation"]).then_some(Self::DependencyFailed),
            is_ignored.then_some(Self::SettingIgnored),
        ];
        told.into_iter().flatten().collect()
    }

    /// Whether `said` is about this.
    pub fn is_told_by(&self, said: &str) -> bool {
        Self::all_of(said).contains(self)
    }
}

impl NixError {
    /// The diagnoses of this error.
    pub fn diagnoses(&self) -> Vec<NixDiagnosis> {
        NixDiagnosis::all_of(&self.to_string())
    }
}

/// The first is what it says of `<nixpkgs>` where no search path is heeded.
const IMPURE: [&str; 3] =
    ["was not found in the Nix search path", "in restricted mode", "in pure evaluation mode"];

/// Nix has two messages: "a 'aarch64-linux' with features {} is required to build …" about the
/// derivation itself, and "Unable to start any build" about its inputs.
const NO_BUILDER: [&str; 3] =
    ["is required to build", "required system or feature", "Unable to start any build"];

/// The file that a line reports as missing. Nix names it by its path in the repository or in the
/// store's copy.
fn missing_file(line: &str) -> Option<String> {
    let quoted = |mark: &str| line.split(mark).nth(1).and_then(|rest| rest.split('\'').next());
    if line.contains("is not tracked by Git") {
        return quoted("Path '").or_else(|| quoted("path '")).map(str::to_owned);
    }
    let below = line.split("-source/").nth(1)?;
    let end = below.find(['\'', '"', ':']).unwrap_or(below.len());
    (line.contains("does not exist") || line.contains("No such file"))
        .then(|| below[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::{NixDiagnosis::*, *};

    #[test]
    fn what_nix_prints_means_what_deploy_acts_upon() {
        for (said, meant) in [
            ("path '/nix/store/x-source/a.nix' does not exist", vec![NoSuchFile("a.nix".into())]),
            (
                "Path 'b.nix' in the repository \"/x\" is not tracked by Git.",
                vec![NoSuchFile("b.nix".into())],
            ),
            (
                "'/nix/store/x-source/c.nix': No such file or directory",
                vec![NoSuchFile("c.nix".into())],
            ),
            ("the option 'allow-import-from-derivation' is disabled", vec![BuildsToEvaluate]),
            ("file 'nixpkgs' was not found in the Nix search path (add it", vec![NotPure]),
            ("access to absolute path '/x/k.nix' is forbidden in restricted mode", vec![NotPure]),
            ("path '/x' does not contain a 'flake.nix', searching up", vec![NoFlake]),
            ("could not find a flake.nix file", vec![NoFlake]),
            ("a 'aarch64-linux' with features {} is required to build 'x'", vec![NoBuilder]),
            ("Unable to start any build; remote machine may not have all", vec![NoBuilder]),
            ("failed to start SSH connection to 'b'", vec![NoWayToBuilder]),
            ("writing to file: No space left on device", vec![NoRoom]),
            ("database or disk is full", vec![NoRoom]),
            ("1 dependencies of derivation 'x' failed to build", vec![DependencyFailed]),
            ("warning: ignoring untrusted flake configuration setting 'x'", vec![SettingIgnored]),
            (
                "ignoring the client-specified setting 'log-lines', you are not a trusted user",
                vec![],
            ),
            ("No space left\nallow-import-from-derivation", vec![BuildsToEvaluate, NoRoom]),
            ("attribute 'x' missing", vec![]),
        ] {
            assert_eq!(NixDiagnosis::all_of(said), meant, "{said}");
        }
    }
}
