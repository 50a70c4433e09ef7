//! The command with which a machine's user becomes root, from the flake or the command line.

use deploy_wire::machine::Machine;

use super::login_user;
use crate::{
    error::{Failure, Result},
    tools::ssh::{NotRoot, read_sudo, reads_a_password},
};

/// Parses the command, in the same way for both sources. The error matters only if the user is not
/// root already.
pub fn read(machine: &mut Machine) -> Option<NotRoot> {
    let read = machine.sudo.as_ref().map(|sudo| read_sudo(&sudo.command))?;
    match read {
        Ok(to_root) => {
            if let Some(sudo) = machine.sudo.as_mut() {
                sudo.command = to_root.words;
            }
            None
        }
        Err(error) => {
            machine.sudo = None;
            Some(error)
        }
    }
}

/// The failure for an unusable command.
pub fn unfit(machine: &Machine, error: NotRoot) -> Box<Failure> {
    let what = format!("{} cannot become root on {}", login_user(machine), machine.name);
    Failure::unchanged(what).because(error).hint(Some(
        "--sudo, or `sudo` in the flake, names the command: sudo, sudo -u root, doas, run0".into(),
    ))
}

/// Refuses to ask for a password if the command would not read it, or would read more than that
/// line: the agent could otherwise get the password as a request, and shows what it does not
/// understand. `said` is the command's output without a password.
pub fn refuse_unread_password(machine: &Machine, command: &[String], said: &str) -> Result<()> {
    reads_a_password(command, said).map_err(|error| {
        let what = format!("{} cannot become root on {}", login_user(machine), machine.name);
        Failure::unchanged(what).because(error).hint(Some(
            "let the user become root without a password there (doas: nopass; run0: a polkit \
             rule), or use sudo"
                .into(),
        ))
    })
}
