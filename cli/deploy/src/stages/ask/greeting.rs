//! The script that a login starts with.

use std::path::Path;

use deploy_wire::{machine::Machine, store_path::StorePath};

use crate::tools::{shell, ssh::Escalation};

/// A file that is part of every NixOS system, and never a link in one; so a
/// link to it leads to the system, whatever is around it.
pub const MARKER: &str = "nixos-version";

const FACTS: &str = include_str!("ask.sh");

/// The wanted system, looked up here if it is here: a deploy-rs profile around
/// it never reaches the machine.
fn facts(machine: &Machine) -> String {
    let out = &machine.toplevel.out;
    let system = Path::new(out.as_str()).join(MARKER).canonicalize().ok();
    let system = system.and_then(|file| StorePath::containing(file.to_str()?).ok());
    let wanted = system.as_ref().unwrap_or(out);
    format!("WANTED={}\n{FACTS}", shell::quote(wanted.as_str()))
}

/// The questions as one command: `sh -c '…'`.
pub fn facts_as_word(machine: &Machine) -> String {
    format!("sh -c {}", shell::quote(&facts(machine)))
}

/// Says who the user is and, where no password stands in between, asks all
/// questions in the same breath: the login is then the only round trip.
pub fn script(machine: &Machine) -> String {
    let facts = facts_as_word(machine);
    let mut script = "printf '@login %s\\n' \"$SSH_CONNECTION\"\n".to_owned();
    script.push_str("if [ \"$(id -u)\" = 0 ]; then echo '@root uid0'; ");
    script.push_str(&facts);
    if let Some(sudo) = &machine.sudo {
        let free = Escalation::Free(sudo.command.clone());
        let (test, run) = (free.wrap("true"), free.wrap(&facts));
        script.push_str(&format!(
            "\nelif said=$({test} 2>&1); then echo '@root free'; {run}\n\
             else echo '@root none'; printf '@sudoSaid %s\\n' \"$said\" | tail -n 1"
        ));
    }
    script.push_str("\nfi");
    script
}
