//! The prepared sets by name.

use anyhow::{Result, bail};

use super::baseline::{BASELINE, PAIR};
use super::homelab::HOMELAB;
use super::prepared::Prepared;
pub use super::prepared::WORD;
use super::ready::READY;
use super::real::{REAL, SERVICES};
use crate::hosts::Lab;

/// Every prepared set of this library.
pub const ALL: &[Prepared] = &[PAIR, BASELINE, HOMELAB, REAL, READY, SERVICES];

/// The set called `name`.
///
/// # Errors
/// When there is none.
pub fn named(name: &str) -> Result<Prepared> {
    match ALL.iter().find(|set| set.name == name) {
        Some(set) => Ok(*set),
        None => bail!("there is no prepared set called {name}"),
    }
}

/// The inside of [`Prepared::ensure`].
///
/// # Errors
/// When a host cannot be made or saved.
pub fn make_and_save(lab: &mut Lab, name: &str) -> Result<()> {
    named(name)?.make_and_save(lab)
}
