//! The user's arguments for Nix, from behind `--`, divided by the commands that understand them.

/// Arguments of commands that evaluate a flake, with their numbers of values. `nix config show`
/// does not know them, and a build by derivation does not need them.
const OF_EVALUATION: [(&str, usize); 20] = [
    ("--override-input", 2),
    ("--override-flake", 2),
    ("--arg", 2),
    ("--argstr", 2),
    ("--arg-from-file", 2),
    ("--arg-from-stdin", 1),
    ("--update-input", 1),
    ("--reference-lock-file", 1),
    ("--output-lock-file", 1),
    ("--inputs-from", 1),
    ("--eval-store", 1),
    ("--include", 1),
    ("-I", 1),
    ("--impure", 0),
    ("--debugger", 0),
    ("--recreate-lock-file", 0),
    ("--no-update-lock-file", 0),
    ("--no-write-lock-file", 0),
    ("--no-registries", 0),
    ("--commit-lock-file", 0),
];

/// Arguments that only `nix build` has, with their numbers of values.
const OF_BUILDS: [(&str, usize); 7] = [
    ("--rebuild", 0),
    ("--no-link", 0),
    ("--print-out-paths", 0),
    ("--dry-run", 0),
    ("--out-link", 1),
    ("-o", 1),
    ("--profile", 1),
];

/// The commands that understand an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ArgumentKind {
    Evaluation,
    Build,
    /// A setting, or an argument of every command.
    Common,
}

/// The arguments for commands that read or evaluate a flake: all but those for builds alone.
/// `--refresh` and `--option access-tokens …` affect what a reference means.
pub fn evaluation_args(args: &[String]) -> Vec<String> {
    of(args, |kind| kind != ArgumentKind::Build)
}

/// The arguments for a build by derivation.
pub fn build_args(args: &[String]) -> Vec<String> {
    of(args, |kind| kind != ArgumentKind::Evaluation)
}

/// The arguments that every command understands.
pub fn common_args(args: &[String]) -> Vec<String> {
    of(args, |kind| kind == ArgumentKind::Common)
}

/// Whether the arguments ask for an impure evaluation. The setting `pure-eval` is read with `nix
/// config show`.
pub fn ask_for_impurity(args: &[String]) -> bool {
    divided(args).iter().any(|(_, words)| words[0] == "--impure")
}

fn of(args: &[String], wanted: impl Fn(ArgumentKind) -> bool) -> Vec<String> {
    let wanted = divided(args).into_iter().filter(|(kind, _)| wanted(*kind));
    wanted.flat_map(|(_, words)| words).cloned().collect()
}

/// Divides the arguments, each with its values. An unknown argument is common, and its value
/// becomes a common argument of its own.
fn divided(args: &[String]) -> Vec<(ArgumentKind, &[String])> {
    let mut all = Vec::new();
    let mut rest = args;
    while let Some(first) = rest.first() {
        let values = |table: &[(&str, usize)]| {
            table.iter().find(|(name, _)| name == first).map(|(_, values)| *values)
        };
        let (kind, values) = match (values(&OF_EVALUATION), values(&OF_BUILDS)) {
            (Some(values), _) => (ArgumentKind::Evaluation, values),
            (None, Some(values)) => (ArgumentKind::Build, values),
            (None, None) if first == "--option" => (ArgumentKind::Common, 2),
            (None, None) => (ArgumentKind::Common, 0),
        };
        let (words, left) = rest.split_at(rest.len().min(values + 1));
        all.push((kind, words));
        rest = left;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn each_argument_goes_to_the_commands_that_understand_it() {
        let args = words(
            "--override-input nixpkgs path:x --builders b --impure --option a b --refresh \
             --override-flake A B --rebuild --out-link o",
        );
        assert_eq!(
            evaluation_args(&args),
            words(
                "--override-input nixpkgs path:x --builders b --impure --option a b --refresh \
                 --override-flake A B"
            )
        );
        assert_eq!(
            build_args(&args),
            words("--builders b --option a b --refresh --rebuild --out-link o")
        );
        assert_eq!(common_args(&args), words("--builders b --option a b --refresh"));
    }

    #[test]
    fn impurity_is_an_argument_and_no_value_of_one() {
        assert!(ask_for_impurity(&words("--refresh --impure")));
        assert!(!ask_for_impurity(&words("--argstr how --impure")));
        assert!(!ask_for_impurity(&words("--option x --impure")));
    }

    #[test]
    fn a_value_that_is_missing_is_left_to_nix() {
        assert_eq!(evaluation_args(&words("--override-flake A")), words("--override-flake A"));
    }
}
