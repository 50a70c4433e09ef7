//! Evaluates the flake once for all selected machines, and reads every shape of flake as one kind of
//! machine. No machine is contacted here.

mod address;
mod apart;
mod broken;
mod elsewhere;
mod evaluation;
mod fields;
mod flake_config;
mod installation;
mod kept;
mod kinds;
mod odd;
pub mod overrides;
mod profiles;
mod read;
mod secrets;
pub mod source;
mod workers;

use std::time::Instant;

use deploy_wire::machine::Machine;
use serde_json::Value;

use apart::Wanted;
use evaluation::{FleetEvaluation, OpenedFlake};
use flake_config::FlakeConfig;
pub use installation::installation;
use odd::NotDeployed;
pub use profiles::systems_alone;
use read::FleetReader;
pub use secrets::{DeclaredSecret, declared_secrets};
use source::absolute;

use self::overrides::Overrides;
use super::flake::Selection;
use crate::{
    error::{Failure, Result},
    report::{Event, Report},
    tools::nix::{Metadata, Nix, essence},
};

/// The machines of a run, as the flake describes them.
#[derive(Debug)]
pub struct Fleet {
    /// The machines, in the order of the command line or by name.
    pub machines: Vec<Machine>,
    /// The machines that cannot be evaluated. Their errors were reported.
    pub failed: Vec<String>,
}

impl Fleet {
    /// The exit code before any machine is asked: `failed` if one could not be evaluated.
    pub fn code_or(&self, failed: u8) -> u8 {
        if self.failed.is_empty() { 0 } else { failed }
    }
}

/// Evaluates the flake once for all selected machines, and again only for machines that failed. The
/// result of a clean tree is kept, so that the same tree is not evaluated twice.
///
/// `early` is called with Nix and each machine that is evaluated while others are not yet. The result
/// has it too, unless the evaluation fails as a whole.
pub async fn evaluate(
    nix: &mut Nix,
    selection: &Selection,
    overrides: &Overrides,
    early: impl Fn(&Nix, Machine),
    report: &Report,
) -> Result<Fleet> {
    let start = Instant::now();
    let opened = OpenedFlake::new(nix, selection, overrides, report).await?;
    let metadata = &opened.metadata;
    let config = flake_config(nix, metadata, opened.accepts_all).await;
    let warning = config.warning();
    nix.use_settings(config.used);
    let nix = &*nix;
    let reader = FleetReader { selection, overrides, metadata };
    let told = |value: &Value| {
        reader.some(value).into_iter().for_each(|machine| early(nix, machine));
    };
    let FleetEvaluation { evaluated, failed, was_kept } =
        opened.evaluate(nix, Wanted::Machines, told).await?;
    let value = &evaluated.value;
    let not_deployed = NotDeployed::read(value);
    let skipped = not_deployed.skipped(selection);
    let warnings = [fields::unknown(value), skipped, not_deployed.foreign()].concat();
    let warnings = evaluated.warnings.iter().cloned().chain(warnings).chain(warning);
    for text in warnings {
        report.tell(Event::Warning { machine: None, text });
    }
    let fleet = reader.fleet(value, failed, &not_deployed, report)?;
    report.tell(Event::Evaluated {
        machines: fleet.machines.iter().map(|machine| machine.name.clone()).collect(),
        kept: was_kept,
        milliseconds: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
    });
    Ok(fleet)
}

/// The flake's settings for builds. If they cannot be read, they are not used, and the deploy goes
/// on.
async fn flake_config(nix: &Nix, metadata: &Metadata, accepts_all: bool) -> FlakeConfig {
    match nix.flake_config(metadata).await {
        Ok(config) => FlakeConfig::read(&config, accepts_all, &flake_config::trusted()),
        Err(error) => FlakeConfig::unreadable(&error.to_string()),
    }
}

/// Runs `nix flake check`, for `--checks`.
pub async fn check(nix: &Nix, selection: &Selection, report: &Report) -> Result<()> {
    report.tell(Event::Checking { flake: selection.flake.clone() });
    nix.check(&absolute(&selection.flake), |_| {}).await.map_err(|error| {
        Failure::unchanged(format!("the checks of `{}` fail", selection.flake))
            .because(essence::trimmed(&error.to_string(), None))
    })
}
