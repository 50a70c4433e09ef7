//! Checks that the commands of a request, which run as root, are those that the wanted system
//! declares.

use std::collections::BTreeSet;

use deploy_wire::{
    machine::{BeforeActivate, Check, CheckKind, Machine, Manifest, Secret},
    message::{Refusal, RefusalKind},
    store_path::StorePath,
};

use super::{
    manifest,
    refusal::{refuse, refuse_with},
};

/// Refuses a command that is not in the wanted system's manifest. A request may leave commands out,
/// since that runs nothing. A system without a manifest declares no command.
pub fn refuse_foreign_commands(wanted: &StorePath, machine: &Machine) -> Result<(), Refusal> {
    // Profiles alone run no command before the switch and decrypt no secret.
    let asked = match machine.toplevel {
        Some(_) => commands(&machine.checks, &machine.before_activate, &machine.secrets),
        None => commands(&machine.checks, &[], &[]),
    };
    if asked.is_empty() {
        return Ok(());
    }
    let own = read_own_commands(wanted)?;
    match asked.difference(&own).next() {
        None => Ok(()),
        Some(other) => {
            let why = format!("{other}: {wanted} does not name it in its {}", Manifest::FILE);
            Err(refuse_with(
                RefusalKind::Command,
                why,
                "this user may run what the new system itself names; deploy as another user \
                 (--ssh-user), or declare it in the system's configuration",
            ))
        }
    }
}

/// The commands of a description that run as root. Each is formatted as a unique text.
fn commands(checks: &[Check], before: &[BeforeActivate], secrets: &[Secret]) -> BTreeSet<String> {
    let checks = checks.iter().filter_map(|check| match &check.kind {
        CheckKind::Command { argv } => Some(format!("the check command {argv:?}")),
        // Root would tell of files that the user may not see.
        CheckKind::File { path, .. } => Some(format!("the check of the file {path:?}")),
        CheckKind::Unit { .. }
        | CheckKind::Tcp { .. }
        | CheckKind::Http { .. }
        | CheckKind::Certificate { .. } => None,
    });
    let before =
        before.iter().map(|before| format!("the command before the switch {:?}", before.argv));
    // A shell fragment decrypts a secret, and root opens its files and looks at what they became.
    let secrets = secrets.iter().map(|secret| {
        let (file, keys, path) = (&secret.file, &secret.identity_paths, &secret.path);
        let like = (&secret.mode, &secret.owner, &secret.group);
        format!(
            "the command {:?} for the secret {file:?} with {keys:?}, at {path:?} {like:?}",
            secret.age_bin
        )
    });
    checks.chain(before).chain(secrets).collect()
}

/// The commands of the system's manifest.
fn read_own_commands(wanted: &StorePath) -> Result<BTreeSet<String>, Refusal> {
    let manifest = manifest::read(wanted)
        .map_err(|unread| refuse(RefusalKind::Command, unread.to_string()))?;
    Ok(manifest.map_or_else(BTreeSet::new, |manifest| {
        commands(&manifest.checks, &manifest.before_activate, &manifest.secrets)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_secret_is_put_counts_as_part_of_its_command() {
        let full = include_str!("../../../../wire/golden/machine/full.json");
        let full = Machine::from_json(serde_json::from_str(full).unwrap()).unwrap();
        let own = commands(&full.checks, &full.before_activate, &full.secrets);
        let mut asked = full.clone();
        asked.secrets[0].path = "/root/.ssh/id_ed25519".into();
        let asked = commands(&[], &[], &asked.secrets);
        let other: Vec<_> = asked.difference(&own).collect();
        assert_eq!(other.len(), 1, "{other:?}");
        assert!(other[0].contains("/root/.ssh/id_ed25519"), "{other:?}");
        let mut file = full.clone();
        file.checks.iter_mut().for_each(|check| {
            if let CheckKind::File { path, .. } = &mut check.kind {
                *path = "/root/notes".into();
            }
        });
        let other = commands(&file.checks, &[], &[]);
        assert!(other.difference(&own).any(|text| text.contains("/root/notes")), "{other:?}");
    }
}
