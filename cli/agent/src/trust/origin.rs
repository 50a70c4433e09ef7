//! The origin of a request, from the kernel. The environment and the request itself are only the
//! client's claims.

mod sockets;

use std::{fmt, fs};

use deploy_wire::attempt::Login;

/// The kernel's value for a process without a login.
const UNSET: &str = "4294967295";

/// The programs of sshd that hold a login's connection.
const SSHD: [&str; 3] = ["sshd", "sshd-session", "sshd-auth"];

/// The limit of a chain of parent processes.
const DEPTH: usize = 64;

/// The origin of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The connection of the closest ancestor that is an sshd of root.
    pub login: Option<Login>,
    /// The login's user id, which `sudo` does not change.
    pub user: Option<String>,
    /// The login's session id, from the kernel's audit.
    pub session: Option<String>,
}

impl Origin {
    /// The origin of this process. It must be read while the parent processes live.
    pub fn here() -> Self {
        let audit = |file: &str| {
            let text = fs::read_to_string(format!("/proc/self/{file}")).ok()?;
            Some(text.trim().to_owned()).filter(|text| !text.is_empty() && text != UNSET)
        };
        Self { login: login(), user: audit("loginuid"), session: audit("sessionid") }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.login {
            Some(login) => write!(f, "the SSH connection {login}")?,
            None => f.write_str("no SSH connection")?,
        }
        let more = [("login uid", &self.user), ("session", &self.session)];
        for (name, value) in more {
            if let Some(value) = value {
                write!(f, ", {name} {value}")?;
            }
        }
        Ok(())
    }
}

/// The connection of the closest ancestor that is an sshd of root and has one.
fn login() -> Option<Login> {
    let mut process = std::process::id();
    for _ in 0..DEPTH {
        process = parent(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)?;
        if is_sshd(process)
            && let Some(login) = sockets::connection(process)
        {
            return Some(login);
        }
    }
    None
}

/// The sshd that accepts connections, of those that lead to this process: the one that no other sshd
/// has started.
pub fn listening_sshd() -> Option<u32> {
    let mut process = std::process::id();
    let mut listening = None;
    for _ in 0..DEPTH {
        let Some(next) =
            fs::read_to_string(format!("/proc/{process}/stat")).ok().and_then(|stat| parent(&stat))
        else {
            break;
        };
        process = next;
        if is_sshd(process) {
            listening = Some(process);
        }
    }
    listening
}

/// Parses the parent of a process from `/proc/PID/stat`. The process's name, in parentheses, may
/// contain anything, including parentheses.
fn parent(stat: &str) -> Option<u32> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok().filter(|parent| *parent > 0)
}

/// Whether a process is sshd. Only root can start a process of root, so its program is a file that
/// root chose.
fn is_sshd(process: u32) -> bool {
    let folder = format!("/proc/{process}");
    let status = fs::read_to_string(format!("{folder}/status")).unwrap_or_default();
    let program = fs::read_link(format!("{folder}/exe")).unwrap_or_default();
    // An update deleted the program of a running sshd.
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    is_of_root(&status) && SSHD.contains(&name.trim_end_matches(" (deleted)"))
}

/// Whether `/proc/PID/status` says that a process is root's. The owner of the folder does not show
/// it, because any process can make root the owner (`PR_SET_DUMPABLE`).
fn is_of_root(status: &str) -> bool {
    let users = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    users.is_some_and(|users| users.split_whitespace().all(|user| user == "0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_read_behind_any_name() {
        assert_eq!(parent("7 (a) 9 (b)) S 5 7 7 0"), Some(5));
        assert_eq!(parent("1 (systemd) S 0 1 1"), None);
        assert_eq!(parent("nothing"), None);
    }

    #[test]
    fn an_origin_is_told_in_one_line() {
        let login = Login::parse("10.0.0.1 50000 10.0.0.2 22");
        let origin = Origin { login, user: Some("997".into()), ..Origin::default() };
        assert_eq!(origin.to_string(), "the SSH connection 10.0.0.1:50000, login uid 997");
        assert_eq!(Origin::default().to_string(), "no SSH connection");
    }

    #[test]
    fn only_a_process_that_is_root_s_in_every_way_is_root_s() {
        assert!(is_of_root("Name:\tsshd\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n"));
        for user in ["1000\t0\t0\t0", "0\t1000\t1000\t1000", "1000\t1000\t1000\t1000"] {
            assert!(!is_of_root(&format!("Name:\tsshd\nUid:\t{user}\n")), "{user}");
        }
        assert!(!is_of_root(""));
        assert!(!is_sshd(std::process::id()), "its program is no sshd");
    }
}
