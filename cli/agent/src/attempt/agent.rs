//! What every part of the agent needs: the records, systemd, this boot.

use std::path::PathBuf;

use anyhow::{Context, Result};
use deploy_wire::record::Boot;

use crate::{
    attempt::ledger::Ledger, machine::look, storage::paths::RUNNING, tools::systemd::Systemd,
};

/// The agent on this machine, in this boot.
#[derive(Debug, Clone)]
pub struct Agent {
    /// The records.
    pub ledger: Ledger,
    /// The systemd of the system that ran at `stage`, or that runs.
    pub systemd: Systemd,
    /// This boot. No process of the agent outlives a soft-reboot, so it is
    /// looked up once.
    pub boot: Boot,
}

impl Agent {
    /// Looks around.
    pub fn open() -> Result<Self> {
        let ledger = Ledger::open();
        ledger.close_to_others();
        let open = ledger.record()?.filter(deploy_wire::record::Record::is_open);
        let system = open.map_or(RUNNING.to_owned(), |record| record.ran.to_string());
        let systemd = Systemd::of(&system);
        let boot = look::boot()?;
        Ok(Self { ledger, systemd, boot })
    }
}

/// The file that runs: transient units start it again by this path.
pub fn program() -> Result<PathBuf> {
    std::env::current_exe().context("cannot find the agent's own program")
}
