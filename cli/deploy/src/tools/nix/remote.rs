//! Stores on other machines.

use std::ffi::OsString;

use crate::tools::{process::Invocation, ssh};

/// Another store, reached over SSH by a login that is already there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteStore {
    /// `ssh-ng://…`.
    pub url: String,
    /// What `NIX_SSHOPTS` must be.
    pub sshopts: String,
    /// What else Nix's `ssh` has to find in its environment.
    pub environment: Vec<(String, OsString)>,
}

impl RemoteStore {
    /// The store of a builder, logged in to as the user's own ssh does it; but what a machine
    /// is not lent is not lent to a builder either.
    pub fn of_builder(host: &str) -> Self {
        let url = if host.contains("://") { host.to_owned() } else { format!("ssh-ng://{host}") };
        let inherited = std::env::var("NIX_SSHOPTS").unwrap_or_default();
        let sshopts =
            format!("{inherited} {}", ssh::args_that_lend_nothing().join(" ")).trim().to_owned();
        Self { url, sshopts, environment: Vec::new() }
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
