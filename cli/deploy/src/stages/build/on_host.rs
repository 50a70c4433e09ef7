//! Builds on another host of `--build-on`, in its store and with its own Nix.

use deploy_wire::{machine::Machine, store_path::StorePath};

use super::{BuildTarget, Built, Where, ignored, look_at};
use crate::{
    error::{Failure, Result},
    report::{Event, Report},
    stages::ask::Probed,
    tools::nix::{Nix, NixDiagnosis, RemoteStore},
};

/// Builds in the store of another host, with its own Nix and settings.
pub(super) async fn build_on_host(
    nix: &Nix,
    host: &str,
    wanted: BuildTarget<'_>,
    report: &Report,
) -> Result<StorePath> {
    let BuildTarget { machine, drv, what, .. } = wanted;
    let tell = |progress| report.tell(Event::Build { machine: machine.name.clone(), progress });
    let store = RemoteStore::of_builder(host);
    nix.build(drv, Some(&store), tell, ignored(machine, report)).await.map_err(|error| {
        let what = format!("the {what} for {} cannot be built on {host}", machine.name);
        let has_no_way = error.diagnoses().contains(&NixDiagnosis::NoWayToBuilder);
        let hint = has_no_way.then(|| format!("check that `ssh {host} true` works from here"));
        Failure::unchanged(what).because(error).hint(hint)
    })
}

/// What a builder built, once it was copied from there to the machine.
pub async fn arrived(probed: &Probed, built: Built) -> Result<Built> {
    look_at(probed, Built { place: Where::OnTarget, ..built }).await
}

/// Copies what a builder built to this computer.
pub async fn fetch(nix: &Nix, probed: &Probed, built: Built, report: &Report) -> Result<Built> {
    let Where::OnBuilder(host) = &built.place else { return Ok(built) };
    for out in built.outs(&probed.machine) {
        fetch_path(nix, host, &probed.machine, out, report).await?;
    }
    look_at(probed, Built { place: Where::Here, ..built }).await
}

pub(super) async fn fetch_path(
    nix: &Nix,
    host: &str,
    machine: &Machine,
    out: &StorePath,
    report: &Report,
) -> Result<()> {
    let tell = |progress| report.tell(Event::Build { machine: machine.name.clone(), progress });
    nix.copy_here(out, &RemoteStore::of_builder(host), tell).await.map_err(|error| {
        Failure::unchanged(format!("cannot fetch what {host} built for {}", machine.name))
            .because(error)
    })
}
