//! Lets another program use a login, and no other way to the machine.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt,
};

use super::Login;
use crate::tools::shell;

impl Login {
    /// The options of ssh, as `Name=value` without blanks, with which another program's `ssh` goes over
    /// this login. Where that `ssh` insists on a connection of its own, that one is led through this
    /// login too, to `port` of the machine itself: a program that checks no host key reaches no other
    /// machine. `a_program_that_checks_no_host_key_reaches_no_other_machine` proves it.
    pub fn options_for_others(&self, port: u16) -> io::Result<Vec<String>> {
        let (folder, target) = (self.folder(), self.target());
        let (socket, script) = (folder.join("s"), folder.join("tunnel"));
        fs::write(&script, tunnel(&socket.display().to_string(), port, &target.hostname))?;
        fs::set_permissions(&script, Permissions::from_mode(0o700))?;
        Ok(vec![
            format!("ControlPath={}", socket.display()),
            "ControlMaster=no".to_owned(),
            // Nix splits its options at blanks, so this is one word.
            format!("ProxyCommand={}", script.display()),
        ])
    }
}

/// The program that `ssh` starts in place of a connection. It fails when the login is over.
fn tunnel(socket: &str, port: u16, hostname: &str) -> String {
    let line = shell::line([
        "ssh",
        "-S",
        socket,
        "-o",
        "ControlMaster=no",
        "-o",
        "ProxyCommand=false",
        "-W",
        &format!("127.0.0.1:{port}"),
        "--",
        hostname,
    ]);
    format!("#!/bin/sh\nexec {line}\n")
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, time::Duration};

    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::tools::process::Invocation;

    /// Nothing is behind the socket, and something listens where the name leads to.
    #[tokio::test]
    async fn a_program_that_checks_no_host_key_reaches_no_other_machine() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("s").display().to_string();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = folder.path().join("tunnel");
        fs::write(&script, tunnel(&socket, 22, &format!("ssh://127.0.0.1:{port}"))).unwrap();
        let connected = async {
            while listener.accept().is_err() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let tunnel = Invocation::new("/bin/sh").arg(&script);
        tokio::select! {
            () = connected => panic!("it went to another machine"),
            ended = timeout(Duration::from_secs(30), tunnel.output()) => {
                assert!(ended.expect("it ends at once").is_err());
            }
        }
    }
}
