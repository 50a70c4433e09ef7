//! Stores on other machines.

use std::ffi::OsString;

use crate::tools::{process::Invocation, ssh};

/// Another store, reached over an existing SSH login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteStore {
    /// `ssh-ng://…`.
    pub url: String,
    /// The value of `NIX_SSHOPTS`.
    pub sshopts: String,
    /// Other environment variables for Nix's `ssh`.
    pub environment: Vec<(String, OsString)>,
}

impl RemoteStore {
    /// The store of a builder, over a login with the user's own ssh settings. The builder gets no
    /// access to the operator's computer, just as a machine gets none.
    pub fn of_builder(host: &str) -> Self {
        let url = if host.contains("://") { host.to_owned() } else { format!("ssh-ng://{host}") };
        let inherited = std::env::var("NIX_SSHOPTS").unwrap_or_default();
        let sshopts =
            format!("{inherited} {}", ssh::args_that_lend_nothing().join(" ")).trim().to_owned();
        Self { url, sshopts, environment: Vec::new() }
    }
}

/// Whether the other side asks its own substituters before a path is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Substitute {
    /// It asks them first.
    First,
    /// Every path is sent.
    Never,
}

/// Adds the environment that a command of Nix needs to reach another store.
pub fn at(command: Invocation, store: &RemoteStore) -> Invocation {
    let command = command.env("NIX_SSHOPTS", &store.sshopts);
    store.environment.iter().fold(command, |command, (name, value)| command.env(name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_builder_is_lent_nothing_of_the_operators_computer() {
        let store = RemoteStore::of_builder("builder");
        assert!(store.sshopts.contains("-o ForwardAgent=no"), "{}", store.sshopts);
    }
}
