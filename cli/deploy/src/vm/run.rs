//! `run.json`: how a virtual machine was started, and how it is.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::ports::Forward;
use crate::error::{Failure, Result};

const FILE: &str = "run.json";

/// A start of a machine. The process that keeps the machine writes it; everybody else reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VmRun {
    /// The ports that lead to it.
    pub ports: Vec<Forward>,
    /// Memory in MiB.
    pub memory: u32,
    /// Processor cores.
    pub cores: u32,
    /// Whether it has a window.
    pub graphic: bool,
    /// The private key that it decrypts secrets with.
    pub key: Option<PathBuf>,
    /// The phase.
    pub phase: VmPhase,
    /// How often it was started since `deploy vm`: 1, and one more for each restart.
    pub starts: u32,
    /// The process id of qemu.
    pub qemu: Option<u32>,
    /// The system that it was last started with.
    pub system: Option<String>,
    /// Why it is off, if it did not shut down as it was asked to.
    pub why: Option<String>,
}

/// Whether a machine is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VmPhase {
    /// qemu is being started.
    Starting,
    /// qemu runs.
    On,
    /// qemu has ended, and nothing starts it again.
    Off,
}

impl VmRun {
    /// A run that begins.
    pub fn new(ports: Vec<Forward>, memory: u32, cores: u32) -> Self {
        Self {
            ports,
            memory,
            cores,
            graphic: false,
            key: None,
            phase: VmPhase::Starting,
            starts: 0,
            qemu: None,
            system: None,
            why: None,
        }
    }

    /// The last run in a machine's folder; `None` if there was none, or its file is damaged.
    pub fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join(FILE)).ok()?).ok()
    }

    /// Writes it whole.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let written = || -> std::io::Result<()> {
            let mut new = tempfile::NamedTempFile::new_in(folder)?;
            new.write_all(&serde_json::to_vec(self)?)?;
            new.persist(folder.join(FILE))?;
            Ok(())
        };
        written().map_err(|error| {
            Failure::unchanged(format!("{} cannot be written", folder.join(FILE).display()))
                .because(error)
        })
    }
}
