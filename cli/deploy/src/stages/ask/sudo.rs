//! The machine's own words for becoming root there: the flake's or the command line's.

use deploy_wire::machine::Machine;

use super::login_user;
use crate::{
    error::{Failure, Result},
    tools::ssh::{NotRoot, read_sudo, reads_a_password},
};

/// Reads them, once and in one way wherever they come from. Why they cannot be used is told
/// only to a user who is not root already.
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

/// The failure of words that cannot be used.
pub fn unfit(machine: &Machine, error: NotRoot) -> Box<Failure> {
    let what = format!("{} cannot become root on {}", login_user(machine), machine.name);
    Failure::unchanged(what).because(error).hint(Some(
        "--sudo, or `sudo` in the flake, names the command: sudo, sudo -u root, doas, run0".into(),
    ))
}

/// Refuses to ask for a password that the command would not read, or with more than that: the
/// line would reach the agent, which shows what it does not understand. `said` is what the
/// command says without one.
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
