//! What was confirmed on a machine: the last commit.

use serde::{Deserialize, Serialize};

use crate::{attempt::AttemptId, machine::Revision, store_path::StorePath};

/// The system that was last committed, kept at
/// `/nix/var/deploy-agent/confirmed.json`. A machine without this file was
/// never deployed to: what it runs is the baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Confirmed {
    /// [`crate::sealed::VERSION`] of who wrote it.
    pub version: u32,
    /// The system.
    pub toplevel: StorePath,
    /// The attempt that committed it.
    pub attempt: AttemptId,
    /// When, in seconds since 1970 on the machine's clock; for people only.
    pub at: u64,
    /// Profile generation that holds it.
    #[serde(default)]
    pub generation: Option<u64>,
    /// The name of the machine in the flake that deployed it.
    pub machine: String,
    /// The machine's `/etc/machine-id`, to recognise the wrong machine.
    pub machine_id: String,
    /// The flake's revision.
    #[serde(default)]
    pub revision: Option<Revision>,
}
