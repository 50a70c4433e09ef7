//! What `ssh` means by what it prints.

use super::target::PINNED;

/// Why a login failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Diagnosis {
    /// The host key is not the one that is known.
    ChangedHostKey,
    /// The host key is not known, and nobody could be asked.
    UnknownHostKey,
    /// The host key is not the one that the flake says.
    NotThePinnedKey,
    /// The machine refuses the user's keys.
    Denied,
    /// The name has no address.
    NoSuchHost,
    /// The machine answers that nothing listens at the port.
    NothingListens,
    /// Nothing answers there.
    Unreachable,
    /// It allows no more sessions over one login.
    NoMoreSessions,
    /// Something else.
    Other,
}

/// A login that did not come about, or a connection that broke.
#[derive(Debug, thiserror::Error)]
#[error("{}", first_line(.said, .diagnosis))]
pub struct SshError {
    /// What it means.
    pub diagnosis: Diagnosis,
    /// What `ssh` printed.
    pub said: String,
}

impl SshError {
    /// From what `ssh` printed before it ended.
    pub fn from_stderr(said: &str) -> Self {
        Self { diagnosis: diagnose(said), said: said.trim().to_owned() }
    }

    /// What to do about it, for `host`, which `login` is the login to.
    pub fn hint(&self, host: &str, login: &str) -> Option<String> {
        Some(match self.diagnosis {
            Diagnosis::NotThePinnedKey => {
                format!("is `ssh.hostKey` in the flake the key of {host}? ssh-keyscan {host} tells")
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
            Diagnosis::NoMoreSessions => more_sessions(host),
            Diagnosis::Other => format!("does `ssh {login} true` work?"),
        })
    }
}

/// What sshd's refusal of one more session reads like.
const NO_MORE_SESSIONS: &str = "Session open refused by peer";

/// What to do about it: `four-sessions-over-one-login-are-enough` proves the number.
pub fn more_sessions(host: &str) -> String {
    format!("deploy needs four: MaxSessions 4, or more, in the sshd_config of {host}")
}

fn diagnose(said: &str) -> Diagnosis {
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
    } else if has("Permission denied") || has("Too many authentication failures") {
        Diagnosis::Denied
    } else if has("Could not resolve hostname") {
        Diagnosis::NoSuchHost
    } else if has("Connection refused") {
        Diagnosis::NothingListens
    } else if ["timed out", "No route to host", "Network is unreachable", "closed by", "reset by"]
        .into_iter()
        .any(has)
    {
        Diagnosis::Unreachable
    } else {
        Diagnosis::Other
    }
}

/// The line that says most: ssh prints banners and warnings before its reason.
fn first_line(said: &str, diagnosis: &Diagnosis) -> String {
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    let found = match diagnosis {
        Diagnosis::ChangedHostKey => Some("its host key is not the one in known_hosts"),
        Diagnosis::UnknownHostKey => Some("its host key is not in known_hosts"),
        Diagnosis::NotThePinnedKey => Some("its host key is not the one that the flake says"),
        Diagnosis::NoMoreSessions => Some("its sshd allows no more sessions over one login"),
        _ => lines().find(|line| diagnose(line) == *diagnosis && *diagnosis != Diagnosis::Other),
    };
    found.or_else(|| lines().next_back()).unwrap_or("ssh ended without a word").to_owned()
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
    fn a_changed_key_is_not_taken_for_an_unknown_one() {
        let said =
            "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n";
        assert_eq!(SshError::from_stderr(said).diagnosis, Diagnosis::ChangedHostKey);
    }
}
