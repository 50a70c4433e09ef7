//! What a machine wants of a computer that it is to be installed on.

use serde_json::Value;

use super::{
    apart::Wanted,
    evaluation::{FleetEvaluation, OpenedFlake},
    overrides::Overrides,
};
use crate::{error::Result, report::Report, stages::flake::Selection, tools::nix::Nix};

/// What the machine `name`, which is selected, wants; null if the flake has no such machine.
pub async fn installation(
    nix: &Nix,
    name: &str,
    selection: &Selection,
    overrides: &Overrides,
    report: &Report,
) -> Result<Value> {
    let opened = OpenedFlake::new(nix, selection, overrides, report).await?;
    let FleetEvaluation { mut evaluated, .. } =
        opened.evaluate(nix, Wanted::Installation, |_| {}).await?;
    Ok(evaluated.value["install"][name].take())
}
