//! What Nix means by what it prints. It gives no codes: all that is known of its words is here.

use super::NixError;

/// What is wrong, where that decides over what people are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NixDiagnosis {
    /// It sees no file at this path of the flake.
    NoSuchFile(String),
    /// It would have to build something before it can evaluate, and is not allowed to.
    BuildsToEvaluate,
    /// There is no flake.
    NoFlake,
    /// No connection to a builder came about.
    NoWayToBuilder,
    /// Nothing here builds for a platform, or with a feature, that is needed.
    NoBuilder,
    /// A disk is full.
    NoRoom,
    /// What is told is that something else was not built.
    DependencyFailed,
    /// The daemon does not heed a setting or a cache.
    SettingIgnored,
}

/// What a folder without a flake reads like.
pub(super) const NO_FLAKE_IN_FOLDER: &str = "does not contain a 'flake.nix'";

impl NixDiagnosis {
    /// All that `said` tells, in the order of this list: what explains the rest comes first.
    pub fn all_of(said: &str) -> Vec<Self> {
        let has = |words: &[&str]| words.iter().any(|words| said.contains(words));
        // `--log-lines` is ours, and nothing is lost with it.
        let is_ignored = has(&["ignoring "]) && has(&["trusted"]) && !has(&["'log-lines'"]);
        let told = [
            said.lines().find_map(missing_file).map(Self::NoSuchFile),
            has(&["allow-import-from-derivation"]).then_some(Self::BuildsToEvaluate),
            has(&["could not find a flake.nix", NO_FLAKE_IN_FOLDER]).then_some(Self::NoFlake),
            has(&["failed to start SSH connection"]).then_some(Self::NoWayToBuilder),
            has(&NO_BUILDER).then_some(Self::NoBuilder),
            has(&["No space left", "disk is full"]).then_some(Self::NoRoom),
            has(&["dependencies of derivation"]).then_some(Self::DependencyFailed),
            is_ignored.then_some(Self::SettingIgnored),
        ];
        told.into_iter().flatten().collect()
    }

    /// Whether `said` tells this.
    pub fn is_told_by(&self, said: &str) -> bool {
        Self::all_of(said).contains(self)
    }
}

impl NixError {
    /// What it means.
    pub fn diagnoses(&self) -> Vec<NixDiagnosis> {
        NixDiagnosis::all_of(&self.to_string())
    }
}

/// Nix says it in two ways: "a 'aarch64-linux' with features {} is required to
/// build …" of what was asked for, "Unable to start any build" of what that needs.
const NO_BUILDER: [&str; 3] =
    ["is required to build", "required system or feature", "Unable to start any build"];

/// The file that a line misses: Nix names it by its path in the repository, or in the copy in
/// the store.
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
