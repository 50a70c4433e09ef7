//! Finds Nix and evaluates the flake, for every command.

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
    let (nix, fleet) = fleet(selection, overrides, report).await?;
    image::refuse_images(&fleet.machines)?;
    Ok((nix, fleet))
}

/// Finds Nix and evaluates the fleet.
pub async fn fleet(
    selection: &Selection,
    overrides: &Overrides,
    report: &Report,
) -> Result<(Nix, Fleet)> {
    let mut nix = Nix::find(&overrides.nix_args).map_err(|error| {
        Failure::unchanged("the flake cannot be evaluated")
            .because(error)
            .hint(Some("install Nix: https://nixos.org/download".into()))
    })?;
    let fleet = fleet::evaluate(&mut nix, selection, overrides, report).await?;
    Ok((nix, fleet))
}
