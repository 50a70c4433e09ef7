//! What a machine that was asked can be reached by: the agent's end, and its
//! store.

use std::path::PathBuf;

use super::Probed;
use crate::{
    error::{Failure, Result},
    tools::{
        lease::{self, Lease},
        nix::RemoteStore,
        shell,
        ssh::{Escalation, INSTALLED, Login, OnlyTheAgent},
    },
};

impl Probed {
    /// The command that starts an agent on the machine, as root: `agent`, unless sudo allows
    /// only the installed one.
    pub fn serve(&self, agent: &str) -> String {
        format!("exec {}", self.root.serve(agent))
    }

    /// The machine's store for Nix's own commands, over the login that is there.
    /// `sudo nix-daemon` is the other end, or the installed agent in its place, so the user need
    /// not be trusted by Nix. What `nix-daemon` does there bears the word of `lease`.
    pub fn store(&self, lease: &Lease) -> Result<RemoteStore> {
        let probed = self;
        let login = probed.place.login().expect("a machine that is not here was logged in to");
        let nix = probed.facts.nix.as_deref().unwrap_or("nix-daemon");
        // Behind sudo, which would take a variable away. What bears no word is not found once
        // its connection is lost; that is no reason to refuse a machine without `env`.
        let daemon = match &probed.facts.env {
            Some(env) => format!("{env} {}={} {nix}", lease::VARIABLE, lease.word()),
            None => nix.to_owned(),
        };
        // Nix appends `--stdio` to either.
        let daemon =
            probed.root.wrap(&daemon).unwrap_or_else(|OnlyTheAgent| probed.root.serve(INSTALLED));
        let ssh_folder = match &probed.root {
            Escalation::WithPassword(_, password) => {
                Some(password_first(login, &password.line()).map_err(|error| {
                    Failure::unchanged("the push cannot be prepared").because(error)
                })?)
            }
            Escalation::Root | Escalation::Free(_) | Escalation::AgentAlone(_) => None,
        };
        Ok(RemoteStore {
            url: format!(
                "ssh-ng://{}?remote-program={}{}",
                login.target().user_at_host(),
                percent_encoded(&daemon),
                if probed.machine.push.compress { "&compress=true" } else { "" }
            ),
            sshopts: login.nix_sshopts(),
            ssh_folder,
        })
    }
}

/// A folder with an `ssh` that first writes the password that sudo waits for.
/// Both are readable by this user only and go away with the login.
fn password_first(login: &Login, line: &str) -> std::io::Result<PathBuf> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let folder = login.folder().join("bin");
    std::fs::create_dir_all(&folder)?;
    let write = |file: &str, mode: u32, text: &str| {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(mode);
        options.open(folder.join(file))?.write_all(text.as_bytes())
    };
    let ssh = crate::tools::process::find("ssh", &[]).unwrap_or_else(|| "ssh".into());
    write("line", 0o600, line)?;
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in\n*nix-daemon*) {{ cat {line}; exec cat; }} | {ssh} \"$@\" ;;\n\
         *) exec {ssh} \"$@\" ;;\nesac\n",
        line = shell::quote(&folder.join("line").display().to_string()),
        ssh = shell::quote(&ssh.display().to_string()),
    );
    write("ssh", 0o700, &script)?;
    Ok(folder)
}

fn percent_encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
