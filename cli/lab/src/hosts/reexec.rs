//! Processes of the lab. They are the same program file, started again with an internal argument.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::hosts::host::init;
use crate::hosts::nix;
use crate::hosts::words::{INIT, INSIDE, NIX};

/// The arguments that start the inside of a lab.
pub struct Inside {
    /// The lab's cgroup folder.
    pub cgroup: PathBuf,
    /// The arguments from the outer side.
    pub words: Vec<OsString>,
}

/// Must be the first call in `main` of every program that starts labs. Returns the arguments inside
/// of a lab; `None` in a program that a user started.
///
/// # Errors
/// In a process that was to become a host's process 1 and could not.
pub fn dispatch() -> Result<Option<Inside>> {
    let mut words = std::env::args_os().skip(1);
    let Some(first) = words.next() else { return Ok(None) };
    if first == INIT {
        let host = words.next().context("no host folder given")?;
        return init::become_process_one(&PathBuf::from(host)).map(|never| match never {});
    }
    if first == NIX {
        return nix::become_command(words).map(|never| match never {});
    }
    if first == INSIDE {
        let cgroup = words.next().context("no cgroup given")?.into();
        return Ok(Some(Inside { cgroup, words: words.collect() }));
    }
    Ok(None)
}
