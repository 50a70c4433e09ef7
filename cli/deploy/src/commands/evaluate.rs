//! Finds Nix and evaluates the flake, for every command.

use deploy_wire::machine::Machine;

use crate::{
    error::{Failure, Result},
    report::Report,
    stages::{
        build::image,
        flake::Selection,
        fleet::{self, Fleet, overrides::Overrides},
    },
    tools::nix::Nix,
};

/// Finds Nix and evaluates the flake. Images are refused, because nothing can log in to them.
pub async fn machines(
    selection: &Selection,
    overrides: &Overrides,
    report: &Report,
) -> Result<(Nix, Fleet)> {
    machines_and_early(selection, overrides, |_, _| {}, report).await
}

/// The same. `early` is called with each machine that is evaluated while others are not yet.
pub async fn machines_and_early(
    selection: &Selection,
    overrides: &Overrides,
    early: impl Fn(&Nix, Machine),
    report: &Report,
) -> Result<(Nix, Fleet)> {
    let (nix, fleet) = evaluated(selection, overrides, early, report).await?;
    image::refuse_images(&fleet.machines)?;
    Ok((nix, fleet))
}

/// Finds Nix and evaluates the fleet.
pub async fn fleet(
    selection: &Selection,
    overrides: &Overrides,
    report: &Report,
) -> Result<(Nix, Fleet)> {
    evaluated(selection, overrides, |_, _| {}, report).await
}

async fn evaluated(
    selection: &Selection,
    overrides: &Overrides,
    early: impl Fn(&Nix, Machine),
    report: &Report,
) -> Result<(Nix, Fleet)> {
    let mut nix = Nix::find(&overrides.nix_args).map_err(|error| {
        Failure::unchanged("the flake cannot be evaluated")
            .because(error)
            .hint(Some("install Nix: https://nixos.org/download".into()))
    })?;
    let fleet = fleet::evaluate(&mut nix, selection, overrides, early, report).await?;
    Ok((nix, fleet))
}
