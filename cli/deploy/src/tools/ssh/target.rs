//! The address of a login, as arguments of `ssh`.

use std::{ffi::OsString, io, path::Path};

use deploy_wire::machine::Ssh;

use super::options::Options;
use crate::tools::process::Invocation;

/// An address of a machine, with the arguments of `ssh` for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// A name, an alias of ssh_config, or an address.
    pub hostname: String,
    /// The login user; `None` means that ssh_config decides.
    pub user: Option<String>,
    /// The port; `None` means that ssh_config decides.
    pub port: Option<u16>,
    /// Additional arguments.
    pub options: Options,
    /// The only accepted host key; `None` means that known_hosts decides.
    pub host_key: Option<String>,
}

impl Target {
    /// The machine's addresses in the order in which they are tried.
    pub fn all_of(ssh: &Ssh, options: &Options) -> Vec<Self> {
        std::iter::once(&ssh.hostname)
            .chain(&ssh.addresses)
            .map(|hostname| Self {
                hostname: hostname.clone(),
                user: ssh.user.clone(),
                port: ssh.port,
                options: options.clone(),
                host_key: ssh.host_key.clone(),
            })
            .collect()
    }

    /// The arguments before the remote command. Writes a pinned host key to a `known_hosts` file in
    /// `folder` first.
    pub fn args(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        let mut args: Vec<OsString> = Vec::new();
        if let Some(user) = &self.user {
            args.extend(["-l".into(), user.into()]);
        }
        if let Some(port) = self.port {
            args.extend(["-p".into(), port.to_string().into()]);
        }
        if let Some(key) = &self.host_key {
            args.extend(pin(key, self.options.pinning(), folder)?);
        }
        args.extend(self.options.args());
        args.push("--".into());
        args.push(self.hostname.as_str().into());
        Ok(args)
    }

    /// The settings that `ssh` has for it, as `ssh -G` prints them: a name in lower case, a blank
    /// and the value in each line. `None` if that fails.
    pub(super) async fn settings(&self, folder: &Path) -> Option<String> {
        let args = self.args(folder).ok()?;
        let printed = Invocation::new("ssh").arg("-G").args(args).output().await.ok()?;
        String::from_utf8(printed).ok()
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

/// The name of a machine with a pinned key in known_hosts.
pub(super) const PINNED: &str = "pinned-by-deploy";

/// The options that accept only `key`, whatever the host's name is. `newer` is an option that not
/// every version of `ssh` has. `no_setting_of_a_user_s_adds_a_key_to_a_pinned_one` proves them.
fn pin(key: &str, newer: Option<&str>, folder: &Path) -> io::Result<Vec<OsString>> {
    let file = tempfile::Builder::new().prefix("known_hosts-").tempfile_in(folder)?;
    std::fs::write(file.path(), format!("{PINNED} {key}\n"))?;
    let (_, path) = file.keep().map_err(|error| error.error)?;
    let mut known_hosts = OsString::from("UserKnownHostsFile=");
    known_hosts.push(path);
    let others = [
        format!("HostKeyAlias={PINNED}"),
        "GlobalKnownHostsFile=/dev/null".into(),
        "StrictHostKeyChecking=yes".into(),
        "VerifyHostKeyDNS=no".into(),
        "NoHostAuthenticationForLocalhost=no".into(),
    ];
    let others = others.into_iter().chain(newer.map(str::to_owned)).map(OsString::from);
    let all = std::iter::once(known_hosts).chain(others);
    Ok(all.flat_map(|option| ["-o".into(), option]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_arguments() {
        let target = Target {
            hostname: "fe80::1".into(),
            user: Some("admin".into()),
            port: Some(2222),
            options: Options::default(),
            host_key: None,
        };
        let args = target.args(Path::new("/nonexistent")).unwrap();
        let args: Vec<_> = args.iter().map(|arg| arg.to_str().unwrap()).collect();
        let line = args.join(" ");
        assert!(line.starts_with("-l admin -p 2222 -o ConnectTimeout=10 "), "{line}");
        assert!(line.ends_with(" -- fe80::1"), "{line}");
        assert_eq!(target.user_at_host(), "admin@[fe80::1]");
    }
}
