//! The ways to reach a machine that was asked: its agent, and its store.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Probed;
use crate::{
    error::{Failure, Result},
    tools::{
        lease::{self, Lease},
        nix::RemoteStore,
        shell,
        ssh::{Escalation, INSTALLED, OnlyTheAgent},
    },
};

/// The characters of a program's command line that a store's URL cannot have.
const ENCODED: AsciiSet =
    NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

impl Probed {
    /// The command that starts an agent as root: `agent`, or the installed one if sudo allows no
    /// other.
    pub fn serve(&self, agent: &str) -> String {
        format!("exec {}", self.root.serve(agent))
    }

    /// The command with the lease's word in its environment. `env` comes after sudo, which would
    /// remove the variable. A process without the word cannot be found once its connection is lost,
    /// but that is no reason to refuse a machine without `env`.
    pub fn leased(&self, command: &str, lease: &Lease) -> String {
        match &self.facts.env {
            Some(env) => format!("{env} {}={} {command}", lease::VARIABLE, lease.word()),
            None => command.to_owned(),
        }
    }

    /// The machine's store for Nix's commands, over the existing login. `sudo nix-daemon` or the
    /// installed agent is the other end, so Nix need not trust the user. The `nix-daemon` process
    /// carries the lease's word.
    pub fn store(&self, lease: &Lease) -> Result<RemoteStore> {
        let probed = self;
        let login = probed.place.login().expect("a machine that is not here was logged in to");
        let nix = probed.facts.nix.as_deref().unwrap_or("nix-daemon");
        let daemon = probed.leased(nix, lease);
        // Nix appends `--stdio` to both.
        let daemon =
            probed.root.wrap(&daemon).unwrap_or_else(|OnlyTheAgent| probed.root.serve(INSTALLED));
        let password = match &probed.root {
            Escalation::WithPassword(_, password) => Some(password),
            Escalation::Root | Escalation::Free(_) | Escalation::AgentAlone(_) => None,
        };
        let (daemon, environment) = if password.is_some() || probed.noise.is_some() {
            let environment = login.handing_over(password).map_err(|error| {
                Failure::unchanged("the push cannot be prepared").because(error)
            })?;
            (shell::program_that_begins(&daemon), environment)
        } else {
            (shell::program(&daemon), Vec::new())
        };
        Ok(RemoteStore {
            url: format!(
                "ssh-ng://{}?remote-program={}",
                login.target().user_at_host(),
                utf8_percent_encode(&daemon, &ENCODED),
            ),
            sshopts: login.nix_sshopts(),
            environment,
        })
    }
}
