//! Stores on other machines.

use std::path::PathBuf;

use crate::tools::process::Invocation;

/// Another store, reached over SSH by a login that is already there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteStore {
    /// `ssh-ng://…`.
    pub url: String,
    /// What `NIX_SSHOPTS` must be.
    pub sshopts: String,
    /// A folder with an `ssh` of its own to be found first, where sudo wants a
    /// password before Nix's protocol may begin.
    pub ssh_folder: Option<PathBuf>,
}

impl RemoteStore {
    /// The store of a builder, logged in to as the user's own ssh does it.
    pub fn of_builder(host: &str) -> Self {
        let url = if host.contains("://") { host.to_owned() } else { format!("ssh-ng://{host}") };
        let sshopts = std::env::var("NIX_SSHOPTS").unwrap_or_default();
        Self { url, sshopts, ssh_folder: None }
    }
}

/// Whether the other side looks into its own substituters before it is sent a
/// path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Substitute {
    /// It does.
    First,
    /// Everything is sent.
    Never,
}

/// A command of Nix's that goes to another store.
pub fn at(command: Invocation, store: &RemoteStore) -> Invocation {
    let command = command.env("NIX_SSHOPTS", &store.sshopts);
    let Some(folder) = &store.ssh_folder else { return command };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.clone()).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(folders).expect("PATH was a PATH before"))
}
