//! What differs between the encrypted secrets of two systems. Nothing is decrypted: a file that was
//! encrypted anew counts as changed.

mod encrypted;

use deploy_wire::machine::Secret;

pub use encrypted::{Encrypted, SCRIPT};

use crate::report::{ChangedSecret, SecretChanges};

/// What differs between the secrets that a machine has and others. `declared` say which units
/// restart.
pub fn changed(before: &Encrypted, after: &Encrypted, declared: &[Secret]) -> SecretChanges {
    let only = |some: &Encrypted, others: &Encrypted| -> Vec<String> {
        some.files.keys().filter(|name| !others.files.contains_key(*name)).cloned().collect()
    };
    let restarts = |name: &String| {
        let secret = declared.iter().find(|secret| secret.name == *name);
        secret.map(|secret| secret.restart_units.clone()).unwrap_or_default()
    };
    let both = after.files.keys().filter(|name| before.files.contains_key(*name));
    SecretChanges {
        new: only(after, before),
        changed: both
            .filter(|name| !before.is_same(after, name))
            .map(|name| ChangedSecret { name: name.clone(), restarts: restarts(name) })
            .collect(),
        removed: only(before, after),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Secrets as the script prints them.
    fn encrypted(files: &[(&str, &str)], sums: &[(&str, &str)]) -> Encrypted {
        let named = |(name, file): &(&str, &str)| {
            format!("@agenix {file} /run/agenix.d/$_agenix_generation/{name}\n")
        };
        let summed = |(file, sum): &(&str, &str)| format!("@file {sum}  {file}\n");
        let text: String = files.iter().map(named).chain(sums.iter().map(summed)).collect();
        Encrypted::read(&text)
    }

    #[test]
    fn files_of_other_paths_are_the_same_if_they_say_the_same() {
        let before = encrypted(
            &[
                ("a", "/nix/store/1-a.age"),
                ("b", "/nix/store/1-source/b.age"),
                ("gone", "/x"),
                ("c", "/nix/store/1-source/c.age"),
                ("d", "/nix/store/1-d.age"),
            ],
            &[("/nix/store/1-source/b.age", "b"), ("/nix/store/1-source/c.age", "c")],
        );
        let after = encrypted(
            &[
                ("a", "/nix/store/1-a.age"),
                ("b", "/nix/store/2-source/b.age"),
                ("new", "/x"),
                ("c", "/nix/store/2-source/c.age"),
                ("d", "/nix/store/2-d.age"),
            ],
            &[("/nix/store/2-source/b.age", "b"), ("/nix/store/2-source/c.age", "other")],
        );
        let full = include_str!("../../../../../../wire/golden/machine/full.json");
        let full: serde_json::Value = serde_json::from_str(full).unwrap();
        let mut secrets: Vec<Secret> = serde_json::from_value(full["secrets"].clone()).unwrap();
        secrets[0].name = "c".into();
        let changes = changed(&before, &after, &secrets);
        assert_eq!((changes.new, changes.removed), (vec!["new".into()], vec!["gone".into()]));
        let restarts = vec!["acme-order-renew-local.kaifer.dev.service".to_owned()];
        assert_eq!(
            changes.changed,
            [
                ChangedSecret { name: "c".into(), restarts },
                ChangedSecret { name: "d".into(), restarts: Vec::new() }
            ]
        );
        assert_eq!(changed(&after, &after, &secrets), SecretChanges::default());
    }
}
