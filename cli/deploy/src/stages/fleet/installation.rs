//! What a machine wants of a computer that it is to be installed on.

use serde_json::Value;

use super::{
    apart::Wanted,
    evaluation::{self, FleetEvaluation},
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
    let FleetEvaluation { mut evaluated, .. } =
        evaluation::of(nix, Wanted::Installation, selection, overrides, report).await?;
    Ok(evaluated.value["install"][name].take())
}
