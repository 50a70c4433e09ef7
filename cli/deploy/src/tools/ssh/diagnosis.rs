//! What `ssh` means by what it prints.

/// Why a login failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Diagnosis {
    /// The host key is not the one that is known.
    ChangedHostKey,
    /// The host key is not known, and nobody could be asked.
    UnknownHostKey,
    /// The machine refuses the user's keys.
    Denied,
    /// The name has no address.
    NoSuchHost,
    /// Nothing answers there.
    Unreachable,
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

    /// What to do about it, for `host`.
    pub fn hint(&self, host: &str) -> Option<String> {
        Some(match self.diagnosis {
            Diagnosis::ChangedHostKey => {
                format!("if {host} was reinstalled: ssh-keygen -R {host}, then log in once by hand")
            }
            Diagnosis::UnknownHostKey => {
                format!("log in once by hand to accept its key: ssh {host}")
            }
            Diagnosis::Denied => {
                format!("does `ssh {host}` work? Is the right user named, the key loaded?")
            }
            Diagnosis::NoSuchHost => {
                format!("is `{host}` spelt right? --hostname names another address")
            }
            Diagnosis::Unreachable => {
                "is it switched on and in this network? --hostname names another address".into()
            }
            Diagnosis::Other => return None,
        })
    }
}

fn diagnose(said: &str) -> Diagnosis {
    let has = |text: &str| said.contains(text);
    if has("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        Diagnosis::ChangedHostKey
    } else if has("Host key verification failed") {
        Diagnosis::UnknownHostKey
    } else if has("Permission denied") || has("Too many authentication failures") {
        Diagnosis::Denied
    } else if has("Could not resolve hostname") {
        Diagnosis::NoSuchHost
    } else if [
        "timed out",
        "Connection refused",
        "No route to host",
        "Network is unreachable",
        "closed by",
        "reset by",
    ]
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
        _ => lines().find(|line| diagnose(line) == *diagnosis && *diagnosis != Diagnosis::Other),
    };
    found.or_else(|| lines().last()).unwrap_or("ssh ended without a word").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_found_among_the_noise() {
        let said =
            "** WARNING: something\r\nssh: connect to host frame1 port 22: Connection refused\r\n";
        let error = SshError::from_stderr(said);
        assert_eq!(error.diagnosis, Diagnosis::Unreachable);
        assert_eq!(error.to_string(), "ssh: connect to host frame1 port 22: Connection refused");
    }

    #[test]
    fn a_changed_key_is_not_taken_for_an_unknown_one() {
        let said =
            "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n";
        assert_eq!(SshError::from_stderr(said).diagnosis, Diagnosis::ChangedHostKey);
    }
}
