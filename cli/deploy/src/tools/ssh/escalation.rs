//! How the login user becomes root on a machine.

use std::fmt;

use crate::tools::shell;

/// A sudo password. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// What was typed.
    pub fn new(typed: String) -> Self {
        Self(typed)
    }

    /// The line that `sudo -S` reads from stdin.
    pub fn line(&self) -> String {
        format!("{}\n", self.0)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// The agent that is part of the system that runs: the one program that a narrow sudo rule
/// allows.
pub const INSTALLED: &str = "/run/current-system/sw/bin/deploy-agent";

/// The user may not do it: the sudo rule is for the agent alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sudo lets this user run nothing there but the installed agent, {INSTALLED}")]
pub struct OnlyTheAgent;

/// How to become root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Escalation {
    /// The login user is root.
    Root,
    /// sudo lets the user in without a password.
    Free(Vec<String>),
    /// sudo wants a password, which `-S` makes it read from stdin. `-k` makes it
    /// read one always: with one remembered, the line would reach the program as
    /// input instead.
    WithPassword(Vec<String>, Password),
    /// sudo lets the user run [`INSTALLED`] without a password, and nothing else.
    AgentAlone(Vec<String>),
}

impl Escalation {
    /// `command` as root, in sh's words.
    pub fn wrap(&self, command: &str) -> Result<String, OnlyTheAgent> {
        match self {
            Self::Root => Ok(command.to_owned()),
            Self::Free(sudo) => Ok(without_password(sudo, command)),
            Self::WithPassword(sudo, _) => Ok(with_password(sudo, command)),
            Self::AgentAlone(_) => Err(OnlyTheAgent),
        }
    }

    /// An agent that answers requests, as root: `agent`, or the installed one where no other
    /// may run. With `--stdio` behind it that one carries Nix's protocol.
    pub fn serve(&self, agent: &str) -> String {
        let serve = |agent: &str| format!("{} serve", shell::quote(agent));
        match self {
            Self::Root => serve(agent),
            Self::Free(sudo) => without_password(sudo, &serve(agent)),
            Self::WithPassword(sudo, _) => with_password(sudo, &serve(agent)),
            Self::AgentAlone(sudo) => without_password(sudo, &serve(INSTALLED)),
        }
    }

    /// What stdin has to begin with.
    pub fn stdin_prefix(&self) -> String {
        match self {
            Self::Root | Self::Free(_) | Self::AgentAlone(_) => String::new(),
            Self::WithPassword(_, password) => password.line(),
        }
    }
}

/// `command` as root, where no password stands in between.
pub fn without_password(sudo: &[String], command: &str) -> String {
    format!("{} {command}", words(sudo, &["-n"]))
}

fn with_password(sudo: &[String], command: &str) -> String {
    format!("{} {command}", words(sudo, &["-k", "-S", "-p", ""]))
}

/// Asks sudo whether it would run `command`, with a password or without. `None` for a command
/// that is not sudo.
pub fn may(sudo: &[String], command: &str) -> Option<String> {
    is_sudo(sudo).then(|| format!("{} {command}", words(sudo, &["-n", "-l"])))
}

fn is_sudo(sudo: &[String]) -> bool {
    sudo.first().is_some_and(|program| program.rsplit('/').next() == Some("sudo"))
}

/// The flags go right behind `sudo`; a command that is not sudo gets none, as
/// only its own user knows them.
fn words(sudo: &[String], flags: &[&str]) -> String {
    let (program, rest) = sudo.split_at(sudo.len().min(1));
    let flags: &[&str] = if is_sudo(sudo) { flags } else { &[] };
    let words = program.iter().map(String::as_str).chain(flags.iter().copied());
    shell::line(words.chain(rest.iter().map(String::as_str)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sudo_gets_its_flags_and_others_do_not() {
        let free = |words: &[&str]| Escalation::Free(words.iter().map(|w| (*w).into()).collect());
        assert_eq!(free(&["sudo", "-u", "root"]).wrap("x").unwrap(), "sudo -n -u root x");
        assert_eq!(free(&["/usr/bin/doas"]).wrap("x").unwrap(), "/usr/bin/doas x");
        let asked = Escalation::WithPassword(vec!["sudo".into()], Password::new("s".into()));
        assert_eq!(asked.wrap("x").unwrap(), "sudo -k -S -p '' x");
        assert_eq!(asked.stdin_prefix(), "s\n");
        assert!(!format!("{asked:?}").contains("\"s\""));
    }

    #[test]
    fn a_narrow_rule_is_for_the_installed_agent_alone() {
        let sudo = vec!["sudo".to_owned()];
        let narrow = Escalation::AgentAlone(sudo.clone());
        assert_eq!(narrow.wrap("sh"), Err(OnlyTheAgent));
        assert_eq!(narrow.serve("/nix/store/x"), format!("sudo -n {INSTALLED} serve"));
        assert_eq!(Escalation::Root.serve("/nix/store/x"), "/nix/store/x serve");
        assert_eq!(may(&sudo, "sh").unwrap(), "sudo -n -l sh");
        assert_eq!(may(&["doas".to_owned()], "sh"), None);
    }
}
