//! The internal first arguments with which this program starts parts of the lab. [`super::reexec`]
//! handles them.

/// Starts process 1 of a host.
pub(crate) const INIT: &str = "lab-internal-init";

/// Starts the inside of a lab.
pub(crate) const INSIDE: &str = "lab-internal-inside";

/// Starts a program of the hosts' root on this machine.
pub(crate) const NIX: &str = "lab-internal-nix";
