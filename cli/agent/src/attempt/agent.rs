//! The state that every part of the agent uses: the records, systemd, and the present boot.

use std::path::PathBuf;

use anyhow::{Context, Result};
use deploy_wire::record::Boot;

use crate::{
    attempt::ledger::Ledger, machine::look, storage::paths::RUNNING, tools::systemd::Systemd,
};

/// The agent on this machine, in the present boot.
#[derive(Debug, Clone)]
pub struct Agent {
    pub ledger: Ledger,
    /// The systemd of the system that ran at `stage`, or else of the running system.
    pub systemd: Systemd,
    /// The present boot. It is read once, because no process of the agent survives a soft-reboot.
    pub boot: Boot,
}

impl Agent {
    /// Opens the records and finds systemd and the present boot.
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

/// The path of the running agent. Transient units start the agent again by this path.
pub fn program() -> Result<PathBuf> {
    std::env::current_exe().context("cannot find the agent's own program")
}
