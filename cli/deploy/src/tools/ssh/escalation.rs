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
}

impl Escalation {
    /// `command` as root, in sh's words.
    pub fn wrap(&self, command: &str) -> String {
        match self {
            Self::Root => command.to_owned(),
            Self::Free(sudo) => format!("{} {command}", words(sudo, &["-n"])),
            Self::WithPassword(sudo, _) => {
                format!("{} {command}", words(sudo, &["-k", "-S", "-p", ""]))
            }
        }
    }

    /// What stdin has to begin with.
    pub fn stdin_prefix(&self) -> String {
        match self {
            Self::Root | Self::Free(_) => String::new(),
            Self::WithPassword(_, password) => password.line(),
        }
    }
}

/// The flags go right behind `sudo`; a command that is not sudo gets none, as
/// only its own user knows them.
fn words(sudo: &[String], flags: &[&str]) -> String {
    let is_sudo = sudo.first().is_some_and(|program| program.rsplit('/').next() == Some("sudo"));
    let (program, rest) = sudo.split_at(sudo.len().min(1));
    let flags: &[&str] = if is_sudo { flags } else { &[] };
    let words = program.iter().map(String::as_str).chain(flags.iter().copied());
    shell::line(words.chain(rest.iter().map(String::as_str)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sudo_gets_its_flags_and_others_do_not() {
        let free = |words: &[&str]| Escalation::Free(words.iter().map(|w| (*w).into()).collect());
        assert_eq!(free(&["sudo", "-u", "root"]).wrap("x"), "sudo -n -u root x");
        assert_eq!(free(&["/usr/bin/doas"]).wrap("x"), "/usr/bin/doas x");
        let asked = Escalation::WithPassword(vec!["sudo".into()], Password::new("s".into()));
        assert_eq!(asked.wrap("x"), "sudo -k -S -p '' x");
        assert_eq!(asked.stdin_prefix(), "s\n");
        assert!(!format!("{asked:?}").contains("\"s\""));
    }
}
