//! Checks that the commands of a request, which run as root, are those that the wanted system
//! declares.

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

/// The limit of a manifest in bytes. A large manifest has several hundred checks.
const LIMIT: u64 = 8 << 20;

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
        CheckKind::Unit { .. }
        | CheckKind::Tcp { .. }
        | CheckKind::Http { .. }
        | CheckKind::Certificate { .. } => None,
    });
    let before =
        before.iter().map(|before| format!("the command before the switch {:?}", before.argv));
    // A shell fragment decrypts a secret, and root opens its files.
    let secrets = secrets.iter().map(|secret| {
        let (file, keys) = (&secret.file, &secret.identity_paths);
        format!("the command {:?} for the secret {file:?} with {keys:?}", secret.age_bin)
    });
    checks.chain(before).chain(secrets).collect()
}

/// The commands of the system's manifest. The manifest is in the store, as part of the closure.
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
