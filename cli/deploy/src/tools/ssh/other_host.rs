//! A login to a host that is not the machine, with the user's own settings: a builder.

use tokio::{
    io::{AsyncWriteExt, BufReader},
    process::{Child, ChildStderr, ChildStdin, ChildStdout},
};

use super::{Begun, args_that_lend_nothing};
use crate::tools::{process::Invocation, shell};

/// A command that runs on another host. Dropping it ends the login.
pub struct OtherHost {
    /// The command's stdin.
    pub stdin: Option<ChildStdin>,
    /// The command's stdout.
    pub stdout: Begun<BufReader<ChildStdout>>,
    /// The stderr of `ssh` and of the command.
    pub stderr: ChildStderr,
    _child: Child,
}

impl OtherHost {
    /// Logs in and starts `script` (sh). `host` is what Nix takes for the same host.
    ///
    /// # Errors
    /// When the host is a store's address that `ssh` cannot have, or `ssh` cannot be started.
    pub async fn start(host: &str, script: &str) -> Result<Self, String> {
        let to = destination(host)
            .ok_or_else(|| format!("`{host}` is the address of a store with settings"))?;
        // As Nix does with the same variable.
        let inherited = std::env::var("NIX_SSHOPTS").unwrap_or_default();
        let inherited = shell::split(&inherited).map_err(|error| error.to_string())?;
        let sent = shell::sent(script);
        let mut child = Invocation::shielded("ssh")
            .args(inherited)
            .args(args_that_lend_nothing())
            // The list of a closure is long, and its names are much alike.
            .args(["-C", "-o", "ConnectTimeout=10", "-o", "RequestTTY=no"])
            .args(["-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=6"])
            .args(["-o", "ClearAllForwardings=yes", "-o", "RemoteCommand=none"])
            .args(["--".to_owned(), to, sent.line])
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut stdin = child.stdin.take().expect("stdin is a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        let stderr = child.stderr.take().expect("stderr is a pipe");
        // An `ssh` that does not read this has ended, and its stderr says why.
        let _ = stdin.write_all(sent.stdin.as_bytes()).await;
        Ok(Self { stdin: Some(stdin), stdout: Begun::of(stdout), stderr, _child: child })
    }
}

/// The host of `ssh` for a builder as Nix names it: `root@builder`, `ssh-ng://builder:2222`.
fn destination(host: &str) -> Option<String> {
    let host = ["ssh-ng://", "ssh://"].iter().find_map(|it| host.strip_prefix(it)).unwrap_or(host);
    let is_plain = !host.is_empty() && !host.starts_with('-') && !host.contains(['/', '?']);
    is_plain.then(|| format!("ssh://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_builder_of_nix_s_is_a_host_of_ssh_s() {
        for (host, to) in [
            ("builder", Some("ssh://builder")),
            ("root@builder", Some("ssh://root@builder")),
            ("ssh-ng://root@[fe80::1]:2222", Some("ssh://root@[fe80::1]:2222")),
            ("ssh://builder", Some("ssh://builder")),
            ("ssh-ng://builder?ssh-key=/x", None),
            ("unix:///run/x", None),
            ("", None),
            ("-oProxyCommand=x", None),
        ] {
            assert_eq!(destination(host).as_deref(), to, "{host}");
        }
    }
}
