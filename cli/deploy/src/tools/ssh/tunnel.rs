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
    use std::process::Command;

    use super::*;

    /// Without a login behind the socket there is no connection, although sshd's port may be open.
    #[test]
    fn a_program_that_checks_no_host_key_reaches_no_other_machine() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("s").display().to_string();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = folder.path().join("tunnel");
        fs::write(&script, tunnel(&socket, port, "127.0.0.1")).unwrap();
        listener.set_nonblocking(true).unwrap();
        let ran = Command::new("sh").arg(&script).output().unwrap();
        assert!(!ran.status.success());
        assert!(listener.accept().is_err(), "something connected");
    }
}
