//! Words that no user types: with one of them first, this program starts again as a part of
//! the lab. [`super::reexec`] answers them.

/// Starts process 1 of a host.
pub(crate) const INIT: &str = "lab-internal-init";

/// Starts the inside of a lab.
pub(crate) const INSIDE: &str = "lab-internal-inside";

/// Starts a program of the hosts' root on this machine.
pub(crate) const NIX: &str = "lab-internal-nix";
