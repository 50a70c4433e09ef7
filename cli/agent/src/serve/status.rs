//! The machine's report about its state.

use anyhow::Result;
use deploy_wire::message::Status;

use crate::{
    attempt::{agent::Agent, recover},
    machine::look,
};

/// Reads the state, after finishing an attempt that was left open.
pub fn status(agent: &Agent) -> Result<Status> {
    let attempt = recover::recover(agent)?;
    let failed = agent.systemd.must(
        &["list-units", "--state=failed", "--plain", "--no-legend", "--full"],
        std::time::Duration::from_secs(25),
    );
    let name = |line: &str| line.split_whitespace().next().map(str::to_owned);
    Ok(Status {
        runs: look::running(),
        boots: look::boots(),
        profile: look::profile(),
        confirmed: agent.ledger.confirmed()?,
        attempt,
        failed_units: failed.ok().map(|failed| failed.lines().filter_map(name).collect()),
    })
}
