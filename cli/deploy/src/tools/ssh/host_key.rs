//! A machine's host key, as its sshd shows it to whoever connects, and what known_hosts says of it.
//!
//! The user's own ssh connects, by the way that ssh_config has for the host (jump hosts and aliases
//! too), and logs in to nothing: it offers no key and no password.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use deploy_wire::machine::Ssh;

use crate::tools::{
    private,
    process::{Invocation, ProcessError},
};

/// What ssh is told for this one connection. What comes first counts.
const ASKING: [&str; 16] = [
    "StrictHostKeyChecking=accept-new",
    "GlobalKnownHostsFile=/dev/null",
    "HashKnownHosts=no",
    "UpdateHostKeys=no",
    "VerifyHostKeyDNS=no",
    // age takes these two kinds, and machines decrypt with them.
    "HostKeyAlgorithms=ssh-ed25519,rsa-sha2-512,rsa-sha2-256",
    "PreferredAuthentications=none",
    "BatchMode=yes",
    "ControlMaster=no",
    "ControlPath=none",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    "RequestTTY=no",
    "ConnectTimeout=10",
];

/// A host key, and whether the user's ssh knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownHostKey {
    /// Its kind and itself, without a comment.
    pub key: String,
    /// What known_hosts says.
    pub known: KnownAs,
}

/// What known_hosts says of a host's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownAs {
    /// The same key.
    Same,
    /// Another key of the same kind, or that this one is revoked.
    Other,
    /// Nothing.
    Nobody,
}

/// Asks a machine. The error says what ssh said.
pub async fn shown(ssh: &Ssh) -> Result<ShownHostKey, String> {
    let told = |error: io::Error| error.to_string();
    let folder = private::for_this_run().map_err(told)?;
    let file = folder.path().join("known_hosts");
    let mut connects = Invocation::new("ssh");
    for option in ASKING {
        connects = connects.args(["-o", option]);
    }
    let mut seen = std::ffi::OsString::from("UserKnownHostsFile=");
    seen.push(&file);
    let connects = connects.arg("-o").arg(seen).args(to(ssh));
    let said = match connects.output().await {
        // Somebody lets everybody in.
        Ok(_) => String::new(),
        Err(error @ ProcessError::Status { .. }) => error.stderr().trim().to_owned(),
        Err(error) => return Err(error.to_string()),
    };
    let lines = fs::read_to_string(&file).unwrap_or_default();
    let Some(key) = lines.lines().find_map(|line| KnownLine::read(line).map(|line| line.key))
    else {
        let last = said.lines().last().unwrap_or("it showed no host key");
        return Err(last.to_owned());
    };
    Ok(ShownHostKey { known: known(ssh, &key).await, key })
}

/// The user's own options, and whom they are for.
fn to(ssh: &Ssh) -> Vec<String> {
    let mut args = Vec::new();
    if let Some(user) = &ssh.user {
        args.extend(["-l".to_owned(), user.clone()]);
    }
    if let Some(port) = ssh.port {
        args.extend(["-p".to_owned(), port.to_string()]);
    }
    args.extend(ssh.opts.iter().cloned());
    args.extend(["--".to_owned(), ssh.hostname.clone(), "true".to_owned()]);
    args
}

/// What known_hosts says, under the name by which ssh looks there.
pub(super) async fn known(ssh: &Ssh, key: &str) -> KnownAs {
    let configured = Configured::of(ssh).await;
    let mut known = KnownAs::Nobody;
    for file in configured.files {
        let asked = Invocation::new("ssh-keygen").args(["-F", &configured.name, "-f"]).arg(&file);
        let Ok(lines) = asked.output().await else { continue };
        for line in String::from_utf8_lossy(&lines).lines().filter_map(KnownLine::read) {
            match line.compared(key) {
                KnownAs::Nobody => {}
                KnownAs::Same if known == KnownAs::Nobody => known = KnownAs::Same,
                KnownAs::Same => {}
                KnownAs::Other => return KnownAs::Other,
            }
        }
    }
    known
}

/// What of `ssh -G` matters here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Configured {
    /// The name in known_hosts.
    pub(super) name: String,
    /// The files that are there.
    files: Vec<PathBuf>,
    /// The file that ssh writes to, whether it is there or not; `None` if it is to write none.
    pub(super) own: Option<PathBuf>,
    /// Whether names are written as hashes.
    pub(super) hashes: bool,
}

impl Configured {
    /// Asks the user's ssh.
    pub(super) async fn of(ssh: &Ssh) -> Self {
        let said = Invocation::new("ssh").arg("-G").args(to(ssh)).output().await;
        Self::read(&String::from_utf8_lossy(&said.unwrap_or_default()))
    }

    fn read(said: &str) -> Self {
        let value = |name: &str| {
            let mut lines = said.lines().filter_map(|line| line.split_once(' '));
            lines.find(|(word, _)| *word == name).map(|(_, value)| value.trim())
        };
        let host = value("hostname").unwrap_or_default();
        let name = match (value("hostkeyalias"), value("port")) {
            (Some(alias), _) if alias != "none" => alias.to_owned(),
            (_, Some(port)) if port != "22" => format!("[{host}]:{port}"),
            _ => host.to_owned(),
        };
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let path = |word: &str| match word.strip_prefix("~/") {
            Some(inside) => home.join(inside),
            None => Path::new(word).to_owned(),
        };
        let files = ["userknownhostsfile", "globalknownhostsfile"].into_iter().filter_map(value);
        let files = files.flat_map(str::split_whitespace).map(path).filter(|file| file.is_file());
        let own = value("userknownhostsfile").and_then(|it| it.split_whitespace().next());
        let own = own.filter(|file| !["none", "/dev/null"].contains(file)).map(path);
        let hashes = value("hashknownhosts") == Some("yes");
        Self { name, files: files.collect(), own, hashes }
    }
}

/// A line of known_hosts.
#[derive(Debug, PartialEq, Eq)]
struct KnownLine {
    marker: Option<String>,
    key: String,
}

impl KnownLine {
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace().peekable();
        if words.peek().is_none_or(|word| word.starts_with('#')) {
            return None;
        }
        let marker = words.next_if(|word| word.starts_with('@')).map(str::to_owned);
        let (_, kind, key) = (words.next()?, words.next()?, words.next()?);
        Some(Self { marker, key: format!("{kind} {key}") })
    }

    fn compared(&self, key: &str) -> KnownAs {
        let kind = |key: &str| key.split(' ').next().unwrap_or_default().to_owned();
        match self.marker.as_deref() {
            Some("@revoked") if self.key == key => KnownAs::Other,
            Some(_) => KnownAs::Nobody,
            None if self.key == key => KnownAs::Same,
            None if kind(&self.key) == kind(key) => KnownAs::Other,
            None => KnownAs::Nobody,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_looked_up_under_the_name_that_ssh_has_for_it() {
        let name = |said: &str| Configured::read(said).name;
        assert_eq!(name("hostname 10.0.0.1\nport 22\n"), "10.0.0.1");
        assert_eq!(name("hostname 10.0.0.1\nport 2222\n"), "[10.0.0.1]:2222");
        assert_eq!(name("hostkeyalias frame1\nhostname x\nport 2222\n"), "frame1");
        let file = tempfile::NamedTempFile::new().unwrap();
        let at = file.path().display();
        let said = format!("hostname a\nuserknownhostsfile {at} /none/such\n");
        assert_eq!(Configured::read(&said).files, [file.path()]);
    }

    #[test]
    fn another_key_of_the_same_kind_is_another_host() {
        let compared =
            |line: &str| KnownLine::read(line).map(|line| line.compared("ssh-ed25519 A"));
        assert_eq!(compared("h ssh-ed25519 A joe"), Some(KnownAs::Same));
        assert_eq!(compared("|1|x|y ssh-ed25519 B"), Some(KnownAs::Other));
        assert_eq!(compared("h ssh-rsa B"), Some(KnownAs::Nobody));
        assert_eq!(compared("@revoked h ssh-ed25519 A"), Some(KnownAs::Other));
        assert_eq!(compared("@cert-authority h ssh-ed25519 B"), Some(KnownAs::Nobody));
        assert_eq!(compared("# Host h found: line 1"), None);
    }
}
