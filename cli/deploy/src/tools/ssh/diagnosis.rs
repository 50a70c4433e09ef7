//! The meaning of ssh's messages.

use std::io;

use tokio::process::Child;

use super::target::PINNED;
use crate::tools::{limit::Late, process, shell};

/// Why a login failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Diagnosis {
    /// The host key differs from the known one.
    ChangedHostKey,
    /// The host key is not known, and nobody could be asked.
    UnknownHostKey,
    /// The host key differs from the one in the flake.
    NotThePinnedKey,
    /// The machine refuses the user's keys.
    Denied,
    /// The name has no address.
    NoSuchHost,
    /// The machine answers that nothing listens at the port.
    NothingListens,
    /// Nothing answers at the address.
    Unreachable,
    /// Something accepts the connection, but does not answer in time.
    NoAnswer,
    /// The machine allows no more sessions over one login.
    NoMoreSessions,
    /// The login succeeded, but the account's shell ended without running the command.
    ShellEnded,
    /// `ssh` ended without a message.
    Silent,
    /// There is no `ssh` on this computer.
    NoSsh,
    /// The cause is on the operator's own computer.
    Here,
    /// Something else.
    Other,
}

/// A failed login, or a broken connection.
#[derive(Debug, thiserror::Error)]
#[error("{}", first_line(.said, .diagnosis))]
pub struct SshError {
    /// The cause.
    pub diagnosis: Diagnosis,
    /// The output of `ssh`.
    pub said: String,
}

impl SshError {
    /// From the output of `ssh`.
    pub fn from_stderr(said: &str) -> Self {
        Self { diagnosis: diagnose(said), said: said.trim().to_owned() }
    }

    /// From an error on this computer.
    pub fn here(error: &impl std::fmt::Display) -> Self {
        Self { diagnosis: Diagnosis::Here, said: error.to_string() }
    }

    /// From the output and exit code of an `ssh` whose command did not begin. The code 255 is ssh's
    /// own; any other comes from the login shell.
    fn of_end(said: &str, code: Option<i32>) -> Self {
        let said = said.trim().to_owned();
        match code {
            None | Some(255) => Self::from_stderr(&said),
            Some(127) if process::find("ssh", &[]).is_none() => {
                let said = "there is no `ssh` on this computer's PATH".to_owned();
                Self { diagnosis: Diagnosis::NoSsh, said }
            }
            Some(code) => {
                let shell = format!("its login shell ended with exit status {code}");
                let said = if said.is_empty() { shell } else { said };
                Self { diagnosis: Diagnosis::ShellEnded, said }
            }
        }
    }

    /// What to do. `host` is the machine, `login` the user and address.
    pub fn hint(&self, host: &str, login: &str) -> Option<String> {
        // People paste these into a shell.
        let (host, login) = (shell::quote(host), shell::quote(login));
        let user = login.split_once('@').map_or("the user", |(user, _)| user).to_owned();
        // A name from the flake could be an option of ssh.
        let login = if login.starts_with(['-', '"', '\'']) { format!("-- {login}") } else { login };
        Some(match self.diagnosis {
            Diagnosis::NotThePinnedKey => {
                format!(
                    "another machine may answer there. If {host} was reinstalled, read its key at its \
                     console, from /etc/ssh, and put it into `ssh.hostKey` of the flake"
                )
            }
            Diagnosis::ChangedHostKey => {
                format!("if {host} was reinstalled: ssh-keygen -R {host}, then log in once by hand")
            }
            Diagnosis::UnknownHostKey => {
                format!("log in once by hand to accept its key: ssh {login}")
            }
            Diagnosis::Denied => {
                format!("does `ssh {login}` work? Is the right user named, the key loaded?")
            }
            Diagnosis::NoSuchHost => {
                format!("is `{host}` spelt right? --hostname names another address")
            }
            Diagnosis::NothingListens => {
                "is it up, does sshd run there, is the port right? --ssh-opts '-p PORT' names another"
                    .into()
            }
            Diagnosis::Unreachable => {
                "is it switched on and in this network? --hostname names another address".into()
            }
            Diagnosis::NoAnswer => {
                format!("something answers there and does not go on: ssh -v {login} true shows where")
            }
            Diagnosis::NoMoreSessions => more_sessions(&host),
            Diagnosis::ShellEnded => format!(
                "the login works, and runs no command: is the login shell of {user} there nologin \
                 or false, or does a start-up file end it? --ssh-user names another user"
            ),
            Diagnosis::Silent => format!("ssh -v {login} true says more"),
            // The message says what is wrong, and a login by hand would show no more.
            Diagnosis::Here => return None,
            Diagnosis::NoSsh => "install OpenSSH's client on this computer".into(),
            Diagnosis::Other => format!("does `ssh {login} true` work?"),
        })
    }
}

/// ssh's message when sshd refuses another session.
const NO_MORE_SESSIONS: &str = "Session open refused by peer";

/// What to do about too few sessions: `four-sessions-over-one-login-are-enough` proves the number.
pub fn more_sessions(host: &str) -> String {
    format!("deploy needs four: MaxSessions 4, or more, in the sshd_config of {host}")
}

/// The error of an `ssh` that ended before its command began.
pub(super) async fn ended(mut child: Child, said: &str) -> SshError {
    let status = child.wait().await.ok();
    SshError::of_end(said, status.and_then(|status| status.code()))
}

impl From<Late> for SshError {
    fn from(late: Late) -> Self {
        Self { diagnosis: Diagnosis::NoAnswer, said: late.to_string() }
    }
}

impl From<io::Error> for SshError {
    fn from(error: io::Error) -> Self {
        Self::here(&error)
    }
}

/// The cause in a line `ssh: connect to host HOST port PORT: …`. The operating system words the
/// reason: macOS says "Host is down", and Linux says "Permission denied" if a firewall refuses.
fn connect(said: &str) -> Option<Diagnosis> {
    let line = said.lines().rev().find(|line| line.starts_with("ssh: connect to host "))?;
    let refused = line.trim_end().ends_with("Connection refused");
    Some(if refused { Diagnosis::NothingListens } else { Diagnosis::Unreachable })
}

fn diagnose(said: &str) -> Diagnosis {
    if said.trim().is_empty() {
        return Diagnosis::Silent;
    }
    let has = |text: &str| said.contains(text);
    let is_about_the_key =
        has("REMOTE HOST IDENTIFICATION HAS CHANGED") || has("Host key verification failed");
    if is_about_the_key && has(PINNED) {
        Diagnosis::NotThePinnedKey
    } else if has("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        Diagnosis::ChangedHostKey
    } else if has("Host key verification failed") {
        Diagnosis::UnknownHostKey
    } else if has(NO_MORE_SESSIONS) {
        Diagnosis::NoMoreSessions
    } else if let Some(diagnosis) = connect(said) {
        diagnosis
    } else if has("Permission denied") || has("Too many authentication failures") {
        Diagnosis::Denied
    } else if has("Could not resolve hostname") {
        Diagnosis::NoSuchHost
    } else if has("Connection refused") {
        Diagnosis::NothingListens
    } else if UNREACHABLE.into_iter().any(has) {
        Diagnosis::Unreachable
    } else {
        Diagnosis::Other
    }
}

/// ssh's messages about a machine or a jump host that does not answer.
const UNREACHABLE: [&str; 10] = [
    "timed out",
    "No route to host",
    "Network is unreachable",
    "Network is down",
    "Host is down",
    "closed by",
    "reset by",
    "not responding",
    "Broken pipe",
    "open failed: connect failed",
];

/// The most informative line. ssh prints banners and warnings before its reason.
fn first_line(said: &str, diagnosis: &Diagnosis) -> String {
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    let found = match diagnosis {
        Diagnosis::ChangedHostKey => Some("its host key is not the one in known_hosts"),
        Diagnosis::UnknownHostKey => Some("its host key is not in known_hosts"),
        Diagnosis::NotThePinnedKey => Some("its host key is not the one that the flake says"),
        Diagnosis::NoMoreSessions => Some("its sshd allows no more sessions over one login"),
        Diagnosis::Other | Diagnosis::Silent | Diagnosis::ShellEnded | Diagnosis::NoSsh => None,
        _ => lines().find(|line| diagnose(line) == *diagnosis),
    };
    found.or_else(|| lines().next_back()).unwrap_or("ssh ended without a message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_found_among_the_noise() {
        let said =
            "** WARNING: something\r\nssh: connect to host frame1 port 22: Connection refused\r\n";
        let error = SshError::from_stderr(said);
        assert_eq!(error.diagnosis, Diagnosis::NothingListens);
        assert_eq!(error.to_string(), "ssh: connect to host frame1 port 22: Connection refused");
    }

    #[test]
    fn a_machine_that_cannot_be_connected_to_is_unreachable_in_every_system_s_words() {
        for why in [
            "Host is down",
            "No route to host",
            "Operation timed out",
            "Connection timed out",
            "Network is unreachable",
            "Network is down",
            "Can't assign requested address",
            "Permission denied",
            "Invalid argument",
            "Address family not supported by protocol",
        ] {
            let error =
                SshError::from_stderr(&format!("ssh: connect to host h port 22: {why}\r\n"));
            assert_eq!(error.diagnosis, Diagnosis::Unreachable, "{why}");
            assert_eq!(error.to_string(), format!("ssh: connect to host h port 22: {why}"));
        }
        for said in [
            "channel 0: open failed: connect failed: No such thing\nstdio forwarding failed",
            "client_loop: send disconnect: Broken pipe",
            "Timeout, server h not responding.",
            "kex_exchange_identification: Connection closed by remote host",
        ] {
            assert_eq!(SshError::from_stderr(said).diagnosis, Diagnosis::Unreachable, "{said}");
        }
        let denied = "joe@h: Permission denied (publickey).";
        assert_eq!(SshError::from_stderr(denied).diagnosis, Diagnosis::Denied);
    }

    #[test]
    fn a_login_without_a_word_and_a_shell_that_ends_are_meanings_of_their_own() {
        let of = |said, code| SshError::of_end(said, Some(code)).diagnosis;
        assert_eq!(of("\n", 255), Diagnosis::Silent);
        assert_eq!(of("", 1), Diagnosis::ShellEnded);
        assert_eq!(of("This account is currently not available.", 1), Diagnosis::ShellEnded);
        assert_eq!(of("joe@h: Permission denied (publickey).", 255), Diagnosis::Denied);
        // The output of a command on the machine is not ssh's.
        assert_eq!(of("/bin/sh: Permission denied", 126), Diagnosis::ShellEnded);
        let shell = SshError::of_end("", Some(1));
        assert_eq!(shell.to_string(), "its login shell ended with exit status 1");
        assert!(shell.hint("frame1", "joe@frame1").unwrap().contains("shell of joe there nologin"));
    }

    #[test]
    fn a_changed_key_is_not_taken_for_an_unknown_one() {
        let said =
            "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n";
        assert_eq!(SshError::from_stderr(said).diagnosis, Diagnosis::ChangedHostKey);
    }
}
