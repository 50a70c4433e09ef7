//! Whether what a request wants run as root is what the wanted system itself names.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Read,
};

use deploy_wire::{
    machine::{BeforeActivate, Check, CheckKind, Machine, Manifest, Secret},
    message::{Refusal, RefusalKind},
    store_path::StorePath,
};

use super::refusal::{refuse, refuse_with};

/// Bytes of a manifest. A large one has some hundred checks.
const LIMIT: u64 = 8 << 20;

/// Refuses a command that is not in the wanted system's manifest. What a request leaves out is
/// left out: that runs nothing. Without a manifest there is no command.
pub fn refuse_foreign_commands(wanted: &StorePath, machine: &Machine) -> Result<(), Refusal> {
    // Profiles alone run nothing before the switch, and decrypt nothing.
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

/// The commands that a description has run as root, each in words that tell it from any other.
fn commands(checks: &[Check], before: &[BeforeActivate], secrets: &[Secret]) -> BTreeSet<String> {
    let checks = checks.iter().filter_map(|check| match &check.kind {
        CheckKind::Command { argv } => Some(format!("the check command {argv:?}")),
        CheckKind::Unit { .. }
        | CheckKind::Tcp { .. }
        | CheckKind::Http { .. }
        | CheckKind::Certificate { .. } => None,
    });
    let before =
        before.iter().map(|before| format!("the command before the switch {:?}", before.argv));
    // A secret is decrypted with a piece of shell; its files are opened as root.
    let secrets = secrets.iter().map(|secret| {
        let (file, keys) = (&secret.file, &secret.identity_paths);
        format!("the command {:?} for the secret {file:?} with {keys:?}", secret.age_bin)
    });
    checks.chain(before).chain(secrets).collect()
}

/// Those of the system's own manifest, which is in the store as the system is.
fn read_own_commands(wanted: &StorePath) -> Result<BTreeSet<String>, Refusal> {
    let file = format!("{wanted}/{}", Manifest::FILE);
    let Ok(path) = fs::canonicalize(&file) else { return Ok(BTreeSet::new()) };
    let unfit = |why: String| refuse(RefusalKind::Command, format!("{file} is not read: {why}"));
    if !path.starts_with("/nix/store") {
        return Err(unfit(format!("it leads to {}", path.display())));
    }
    let mut text = Vec::new();
    let read = File::open(&path).and_then(|open| open.take(LIMIT + 1).read_to_end(&mut text));
    read.map_err(|error| unfit(error.to_string()))?;
    if text.len() as u64 > LIMIT {
        return Err(unfit(format!("it has more than {} MiB", LIMIT >> 20)));
    }
    let json = serde_json::from_slice(&text).map_err(|error| unfit(error.to_string()))?;
    let manifest = Manifest::from_json(json).map_err(|error| unfit(error.to_string()))?;
    Ok(commands(&manifest.checks, &manifest.before_activate, &manifest.secrets))
}
