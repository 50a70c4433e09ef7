//! Becoming root on a machine, as the login user.

use zeroize::Zeroizing;

use super::{
    Password,
    to_root::{self, RootCommand},
};
use crate::tools::shell;

/// The agent of the running system. A narrow sudo rule allows only this program.
pub const INSTALLED: &str = "/run/current-system/sw/bin/deploy-agent";

/// sudo allows the user to run only the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sudo lets this user run nothing there but the installed agent, {INSTALLED}")]
pub struct OnlyTheAgent;

/// How to become root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Escalation {
    /// The login user is root.
    Root,
    /// sudo needs no password.
    Free(Vec<String>),
    /// sudo needs a password. `-S` makes it read the password from stdin, and `-k` makes it read
    /// one each time; if sudo remembered it, the program would read the password as input.
    WithPassword(Vec<String>, Password),
    /// sudo allows the user to run only [`INSTALLED`], without a password.
    AgentAlone(Vec<String>),
}

impl Escalation {
    /// `command` as root, quoted for sh.
    pub fn wrap(&self, command: &str) -> Result<String, OnlyTheAgent> {
        match self {
            Self::Root => Ok(command.to_owned()),
            Self::Free(sudo) => Ok(without_password(sudo, command)),
            Self::WithPassword(sudo, _) => Ok(with_password(sudo, command)),
            Self::AgentAlone(_) => Err(OnlyTheAgent),
        }
    }

    /// The command that starts an agent as root: `agent`, or the installed one if sudo allows no
    /// other. The installed agent lets no request choose what it runs, and carries Nix's protocol
    /// with `--stdio`.
    pub fn serve(&self, agent: &str) -> String {
        let serve = |agent: &str| format!("{} serve --trusted", shell::quote(agent));
        match self {
            Self::Root => serve(agent),
            Self::Free(sudo) => without_password(sudo, &serve(agent)),
            Self::WithPassword(sudo, _) => with_password(sudo, &serve(agent)),
            Self::AgentAlone(sudo) => without_password(sudo, &format!("{INSTALLED} serve")),
        }
    }

    /// The first input of the command.
    pub fn stdin_prefix(&self) -> Zeroizing<String> {
        match self {
            Self::Root | Self::Free(_) | Self::AgentAlone(_) => Zeroizing::default(),
            Self::WithPassword(_, password) => password.line(),
        }
    }
}

/// `command` as root without a password.
pub fn without_password(sudo: &[String], command: &str) -> String {
    format!("{} {command}", words(sudo, flags_against_questions(sudo)))
}

fn with_password(sudo: &[String], command: &str) -> String {
    format!("{} {command}", words(sudo, &["-k", "-S", "-p", ""]))
}

/// The command that asks sudo whether it would run `command`, with or without a password. `None` if
/// the root command is not sudo.
pub fn may(sudo: &[String], command: &str) -> Option<String> {
    (to_root::kind(sudo) == RootCommand::Sudo)
        .then(|| format!("{} {command}", words(sudo, &["-n", "-l"])))
}

/// The flags that make the root command fail instead of asking for a password; none for an unknown
/// command.
fn flags_against_questions(sudo: &[String]) -> &'static [&'static str] {
    match to_root::kind(sudo) {
        RootCommand::Sudo | RootCommand::Doas => &["-n"],
        RootCommand::Run0 => &["--no-ask-password"],
        RootCommand::Other => &[],
    }
}

/// Inserts the flags right behind the program.
fn words(sudo: &[String], flags: &[&str]) -> String {
    let (program, rest) = sudo.split_at(sudo.len().min(1));
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
        assert_eq!(free(&["/usr/bin/doas"]).wrap("x").unwrap(), "/usr/bin/doas -n x");
        let password = Password::new(Zeroizing::new("s".into()));
        let asked = Escalation::WithPassword(vec!["sudo".into()], password);
        assert_eq!(asked.wrap("x").unwrap(), "sudo -k -S -p \"\" x");
        assert_eq!(*asked.stdin_prefix(), "s\n");
        assert!(!format!("{asked:?}").contains("\"s\""));
    }

    /// A machine needed no password at first, but needs one at the confirmation. `sudo -n` fails
    /// there, and no password is sent.
    #[test]
    fn a_machine_that_did_not_ask_for_a_password_is_sent_none() {
        let sudo = || vec!["sudo".to_owned()];
        for root in [Escalation::Root, Escalation::Free(sudo()), Escalation::AgentAlone(sudo())] {
            assert_eq!(*root.stdin_prefix(), "", "{root:?}");
            assert!(!root.serve("/nix/store/x").contains("-S"), "{root:?}");
        }
    }

    #[test]
    fn a_narrow_rule_is_for_the_installed_agent_alone() {
        let sudo = vec!["sudo".to_owned()];
        let narrow = Escalation::AgentAlone(sudo.clone());
        assert_eq!(narrow.wrap("sh"), Err(OnlyTheAgent));
        assert_eq!(narrow.serve("/nix/store/x"), format!("sudo -n {INSTALLED} serve"));
        assert_eq!(Escalation::Root.serve("/nix/store/x"), "/nix/store/x serve --trusted");
        assert_eq!(may(&sudo, "sh").unwrap(), "sudo -n -l sh");
        assert_eq!(may(&["doas".to_owned()], "sh"), None);
    }
}
