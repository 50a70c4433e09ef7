//! The settings of the sshd that runs, by its own words (`sshd -T`).

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use deploy_wire::attempt::Login;

use super::process;

const LIMIT: Duration = Duration::from_secs(20);

/// What sshd would do with a login of one user.
#[derive(Debug, PartialEq, Eq)]
pub struct Sshd {
    /// The files of keys that it reads, with `%u` as the settings have it.
    pub authorized_keys: Vec<String>,
    /// Whether it accepts keys.
    pub takes_keys: bool,
    host_keys: Vec<PathBuf>,
}

impl Sshd {
    /// Asks the program of a running sshd, with the settings that this one was started with. A
    /// `Match` sees the addresses of `login`.
    ///
    /// # Errors
    /// When it is not known how sshd was started, or when it refuses its settings.
    pub fn of(process: u32, user: &str, login: Option<&Login>) -> Result<Self> {
        let folder = format!("/proc/{process}");
        let program = fs::read_link(format!("{folder}/exe")).context("sshd has no program")?;
        let started = fs::read(format!("{folder}/cmdline")).unwrap_or_default();
        let started = String::from_utf8_lossy(&started).replace('\0', " ");
        if program.file_name().is_none_or(|name| name != "sshd") {
            bail!("it is not known how its sshd was started");
        }
        let mut command = Command::new(&program);
        command.arg("-T").args(settings_file(&started));
        let mut connection = format!("user={user}");
        if let Some(Login { client, server, server_port, .. }) = login {
            connection +=
                &format!(",host={client},addr={client},laddr={server},lport={server_port}");
        }
        let ran = process::run(command.args(["-C", &connection]), LIMIT)?;
        if !ran.succeeded() {
            bail!("{} -T: {}", program.display(), ran.last_words());
        }
        Ok(Self::read(&ran.out))
    }

    fn read(settings: &str) -> Self {
        let values = |name: &str| -> Vec<&str> {
            let words = settings.lines().filter_map(|line| line.split_once(' '));
            words.filter(|(word, _)| *word == name).map(|(_, value)| value.trim()).collect()
        };
        let files = values("authorizedkeysfile");
        Self {
            authorized_keys: files
                .iter()
                .flat_map(|files| files.split_whitespace())
                .map(str::to_owned)
                .collect(),
            takes_keys: values("pubkeyauthentication").contains(&"yes"),
            host_keys: values("hostkey").iter().map(PathBuf::from).collect(),
        }
    }

    /// Its host keys: kind and key.
    ///
    /// # Errors
    /// When there is none that can be read.
    pub fn public_host_keys(&self) -> Result<Vec<String>> {
        let keys: Vec<String> = self.host_keys.iter().filter_map(|file| public(file)).collect();
        if keys.is_empty() {
            bail!("no host key of its sshd can be read");
        }
        Ok(keys)
    }
}

/// `-f FILE` of a command line. sshd shows its own in the name of its process, before what it says
/// of itself in brackets.
fn settings_file(started: &str) -> Vec<&str> {
    let mut words = started.split_whitespace().take_while(|word| !word.starts_with('['));
    match words.find(|word| *word == "-f").and_then(|_| words.next()) {
        Some(file) => vec!["-f", file],
        None => Vec::new(),
    }
}

/// The public half of a host key. A key whose public half is not beside it is read itself.
fn public(file: &Path) -> Option<String> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".pub");
    let text = fs::read_to_string(beside).ok().or_else(|| {
        let mut command = Command::new(process::find("ssh-keygen", &[]));
        let ran = process::run(command.arg("-y").arg("-f").arg(file), LIMIT).ok()?;
        ran.succeeded().then_some(ran.out)
    })?;
    let mut words = text.split_whitespace();
    Some(format!("{} {}", words.next()?, words.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_are_read_by_their_names() {
        let said = "port 22\npubkeyauthentication yes\nhostkey /etc/a\nhostkey /etc/b\n\
                    authorizedkeysfile .ssh/authorized_keys /run/deploy-agent-keys/%u\n";
        let read = Sshd::read(said);
        assert_eq!(read.authorized_keys, [".ssh/authorized_keys", "/run/deploy-agent-keys/%u"]);
        assert!(read.takes_keys);
        assert_eq!(read.host_keys, [PathBuf::from("/etc/a"), PathBuf::from("/etc/b")]);
        let none = Sshd::read("authorizedkeysfile none\npubkeyauthentication no\n");
        assert!(!none.takes_keys && none.authorized_keys == ["none"]);
    }

    #[test]
    fn the_file_of_a_running_sshd_is_in_its_name() {
        let started =
            "sshd: /nix/store/x/bin/sshd -D -f /etc/ssh/sshd_config [listener] 0 of 10-100";
        assert_eq!(settings_file(started), ["-f", "/etc/ssh/sshd_config"]);
        assert!(settings_file("sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 -f x").is_empty());
    }
}
