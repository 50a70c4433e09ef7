//! The user's arguments to Nix (what came after `--`), divided by who understands them.

/// Of the user's arguments, those that say what the inputs are.
pub fn lock_args(args: &[String]) -> Vec<String> {
    flake_args(args, Keep::Flake)
}

/// Of the user's arguments, those that a build by derivation understands.
pub fn build_args(args: &[String]) -> Vec<String> {
    flake_args(args, Keep::Others)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Flake,
    Others,
}

fn flake_args(args: &[String], keep: Keep) -> Vec<String> {
    let mut kept = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let values = match arg.as_str() {
            "--override-input" => 2,
            "--update-input" | "--reference-lock-file" | "--inputs-from" | "--override-flake" => 1,
            "--impure" | "--recreate-lock-file" | "--no-update-lock-file" => 0,
            "--option" if keep == Keep::Others => {
                kept.push(arg.clone());
                kept.extend(args.by_ref().take(2).cloned());
                continue;
            }
            _ => {
                if keep == Keep::Others {
                    kept.push(arg.clone());
                }
                continue;
            }
        };
        let words: Vec<_> =
            std::iter::once(arg).chain(args.by_ref().take(values)).cloned().collect();
        if keep == Keep::Flake {
            kept.extend(words);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_arguments_are_divided() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let args = words("--override-input nixpkgs path:x --builders b --impure --option a b");
        assert_eq!(lock_args(&args), words("--override-input nixpkgs path:x --impure"));
        assert_eq!(build_args(&args), words("--builders b --option a b"));
    }
}
