//! Where to log in, as arguments of `ssh`.

use std::{ffi::OsString, io, path::Path};

use deploy_wire::machine::Ssh;

/// One address of a machine with what `ssh` has to know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Name, alias of ssh_config, or address.
    pub hostname: String,
    /// The login user, or what ssh_config says.
    pub user: Option<String>,
    /// The port, or what ssh_config says.
    pub port: Option<u16>,
    /// More arguments.
    pub opts: Vec<String>,
    /// The one host key that is accepted; else known_hosts decides.
    pub host_key: Option<String>,
}

/// Appended last: `ssh` takes the first value that it sees, so the user's own
/// arguments and these alike win over a default of ours only where they should.
const DEFAULTS: [&str; 6] =
    ["-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"];

impl Target {
    /// The machine's addresses in the order in which they are tried.
    pub fn all_of(ssh: &Ssh) -> Vec<Self> {
        std::iter::once(&ssh.hostname)
            .chain(&ssh.addresses)
            .map(|hostname| Self {
                hostname: hostname.clone(),
                user: ssh.user.clone(),
                port: ssh.port,
                opts: ssh.opts.clone(),
                host_key: ssh.host_key.clone(),
            })
            .collect()
    }

    /// The arguments in front of the remote command. A pinned host key is
    /// written to `known_hosts` in `folder` first.
    pub fn args(&self, inherited: &[String], folder: &Path) -> io::Result<Vec<OsString>> {
        let mut args: Vec<OsString> = Vec::new();
        if let Some(user) = &self.user {
            args.extend(["-l".into(), user.into()]);
        }
        if let Some(port) = self.port {
            args.extend(["-p".into(), port.to_string().into()]);
        }
        if let Some(key) = &self.host_key {
            args.extend(pin(key, folder)?);
        }
        args.extend(self.opts.iter().chain(inherited).map(Into::into));
        args.extend(DEFAULTS.map(Into::into));
        args.push("--".into());
        args.push(self.hostname.as_str().into());
        Ok(args)
    }

    /// `user@host`, as people and Nix's store URLs write it.
    pub fn user_at_host(&self) -> String {
        let host = if self.hostname.contains(':') {
            format!("[{}]", self.hostname)
        } else {
            self.hostname.clone()
        };
        match &self.user {
            Some(user) => format!("{user}@{host}"),
            None => host,
        }
    }
}

/// What a machine with a pinned key is called in front of `ssh`.
pub(super) const PINNED: &str = "pinned-by-deploy";

/// Options that accept exactly `key`, whatever the host is called.
fn pin(key: &str, folder: &Path) -> io::Result<Vec<OsString>> {
    let file = tempfile::Builder::new().prefix("known_hosts-").tempfile_in(folder)?;
    std::fs::write(file.path(), format!("{PINNED} {key}\n"))?;
    let (_, path) = file.keep().map_err(|error| error.error)?;
    let mut known_hosts = OsString::from("UserKnownHostsFile=");
    known_hosts.push(path);
    Ok(vec![
        "-o".into(),
        format!("HostKeyAlias={PINNED}").into(),
        "-o".into(),
        known_hosts,
        "-o".into(),
        "GlobalKnownHostsFile=/dev/null".into(),
        "-o".into(),
        "StrictHostKeyChecking=yes".into(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_own_options_come_before_ours() {
        let target = Target {
            hostname: "fe80::1".into(),
            user: Some("admin".into()),
            port: Some(2222),
            opts: vec!["-o".into(), "ConnectTimeout=99".into()],
            host_key: None,
        };
        let args = target.args(&["-v".into()], Path::new("/nonexistent")).unwrap();
        let args: Vec<_> = args.iter().map(|arg| arg.to_str().unwrap()).collect();
        assert_eq!(
            args.join(" "),
            "-l admin -p 2222 -o ConnectTimeout=99 -v -o ConnectTimeout=10 \
             -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -- fe80::1"
        );
        assert_eq!(target.user_at_host(), "admin@[fe80::1]");
    }
}
