//! Builds closures: on this computer, through Nix's builders, or on the machine itself.

pub mod builder;
mod failed;
pub mod generations;
pub mod image;
pub mod on_host;
pub mod profile;

use std::path::Path;

use deploy_wire::{
    machine::{BuildPlace, Image, Machine, Profile},
    store_path::StorePath,
};

use self::{
    failed::failed,
    on_host::{build_on_host, fetch_path},
};
use super::{
    ask::Probed,
    store::{left_behind, mark},
};
use crate::{
    error::{Failure, Result},
    report::{Event, Report, Stage},
    tools::{
        nix::{BuildWork, Nix, NixDiagnosis},
        place::Place,
    },
};

/// Where a closure is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Where {
    /// In the store of this computer.
    Here,
    /// In the machine's store.
    OnTarget,
    /// In the store of this builder, and not looked at yet.
    OnBuilder(String),
}

/// A built closure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The NixOS system; the running one if the system stays.
    pub toplevel: StorePath,
    /// The output that was built: the toplevel, or a deploy-rs profile around it.
    pub out: StorePath,
    /// Where the closure is.
    pub place: Where,
    /// The other profiles that were built.
    pub profiles: Vec<StorePath>,
}

/// A derivation to build for a machine.
#[derive(Debug, Clone, Copy)]
pub struct BuildTarget<'m> {
    machine: &'m Machine,
    drv: &'m StorePath,
    /// The word for it in messages.
    what: &'m str,
    profile: Option<&'m Profile>,
}

impl<'m> BuildTarget<'m> {
    /// The system, unless it stays, and the other profiles.
    pub fn all(machine: &'m Machine) -> Vec<Self> {
        let system = machine.toplevel.iter();
        let system = system.map(|it| Self { machine, drv: &it.drv, what: "system", profile: None });
        let others = machine.other_profiles().into_iter().filter_map(|profile| {
            let drv = profile.drv.as_ref()?;
            Some(Self { machine, drv, what: "profile", profile: Some(profile) })
        });
        system.chain(others).collect()
    }

    /// The image.
    pub fn image(machine: &'m Machine, image: &'m Image) -> Self {
        Self { machine, drv: &image.drv, what: "image", profile: None }
    }
}

/// Builds the wanted system and the other profiles of a machine. `runs` is the running system, for
/// when the system stays. What a builder of `--build-on` built stays there.
pub async fn build(nix: &Nix, probed: &Probed, runs: &StorePath, report: &Report) -> Result<Built> {
    let machine = &probed.machine;
    report.tell(Event::Stage { machine: machine.name.clone(), stage: Stage::Build });
    let place = builder::choose(nix, machine).await;
    let is_built_there = matches!((&place, probed.place.login()), (BuildPlace::Target, Some(_)));
    let is_at = match &place {
        _ if is_built_there || matches!(probed.place, Place::Here) => Where::OnTarget,
        BuildPlace::Host(host) => Where::OnBuilder(host.clone()),
        BuildPlace::Local | BuildPlace::Target => Where::Here,
    };
    let mut built =
        Built { toplevel: runs.clone(), out: runs.clone(), place: is_at, profiles: Vec::new() };
    for wanted in BuildTarget::all(machine) {
        let out = match &place {
            _ if is_built_there => build_on_machine(nix, probed, wanted, report).await?,
            BuildPlace::Host(host) if matches!(probed.place, Place::Here) => {
                let out = build_on_host(nix, host, wanted, report).await?;
                fetch_path(nix, host, machine, &out, report).await?;
                out
            }
            BuildPlace::Host(host) => build_on_host(nix, host, wanted, report).await?,
            _ => build_through_nix(nix, wanted, report).await?,
        };
        match wanted.profile {
            Some(_) => built.profiles.push(out),
            None => built.out = out,
        }
    }
    match built.place {
        Where::OnBuilder(_) => Ok(built),
        Where::Here | Where::OnTarget => look_at(probed, built).await,
    }
}

/// Looks at what was built, where it is now: which system it is, and that it can be deployed.
async fn look_at(probed: &Probed, mut built: Built) -> Result<Built> {
    let machine = &probed.machine;
    let name = &machine.name;
    let is_here = built.place == Where::Here;
    if machine.toplevel.is_some() {
        built.toplevel = match is_here {
            true => profile::system_here(name, &built.out)?,
            false => profile::system_at(&probed.place, name, &built.out).await?,
        };
    }
    let others = BuildTarget::all(machine).into_iter().filter_map(|wanted| wanted.profile);
    for (other, out) in others.zip(&built.profiles) {
        match is_here {
            true => profile::other_here(name, other, out)?,
            false => profile::other_at(&probed.place, name, other, out).await?,
        }
    }
    Ok(built)
}

impl Built {
    /// The outputs that were built: the system, unless it stays, and the other profiles.
    pub fn outs(&self, machine: &Machine) -> Vec<&StorePath> {
        let system = machine.toplevel.iter().map(|_| &self.out);
        system.chain(&self.profiles).collect()
    }
}

/// Builds with the machine's own Nix.
async fn build_on_machine(
    nix: &Nix,
    probed: &Probed,
    wanted: BuildTarget<'_>,
    report: &Report,
) -> Result<StorePath> {
    let machine = &probed.machine;
    let tell = |progress| report.tell(Event::Build { machine: machine.name.clone(), progress });
    let lease = left_behind::begin(probed, report).await?;
    let store = probed.store(&lease)?;
    let mark = mark::set(probed, report).await?;
    let built = nix.build(wanted.drv, Some(&store), tell, ignored(machine, report)).await;
    let cleared = mark.clear(&machine.name, report).await;
    let out = built.map_err(|error| failed(wanted, error, Vec::new()))?;
    lease.finish();
    cleared?;
    Ok(out)
}

/// Builds without any machine: the image if there is one, otherwise the system and its profiles.
/// Returns the output paths in the local store.
pub async fn build_here(nix: &Nix, machine: &Machine, report: &Report) -> Result<Vec<String>> {
    report.tell(Event::Stage { machine: machine.name.clone(), stage: Stage::Build });
    let all = match &machine.image {
        Some(image) => vec![BuildTarget::image(machine, image)],
        None => BuildTarget::all(machine),
    };
    let mut paths = Vec::new();
    for wanted in all {
        let out = match &machine.build.place {
            BuildPlace::Host(host) => {
                let out = build_on_host(nix, host, wanted, report).await?;
                fetch_path(nix, host, machine, &out, report).await?;
                out
            }
            BuildPlace::Local | BuildPlace::Target => {
                build_through_nix(nix, wanted, report).await?
            }
        };
        paths.push(match (&machine.image, wanted.profile) {
            (Some(image), _) => with_its_file(machine, image)?,
            (None, Some(profile)) => {
                profile::other_here(&machine.name, profile, &out)?;
                out.to_string()
            }
            (None, None) => profile::system_here(&machine.name, &out)?.to_string(),
        });
    }
    Ok(paths)
}

/// Builds something else of a machine's than its system, on this computer or on the host that builds
/// for it. `what` is the word for it in messages.
pub async fn build_alone(
    nix: &Nix,
    machine: &Machine,
    drv: &StorePath,
    what: &str,
    report: &Report,
) -> Result<StorePath> {
    let wanted = BuildTarget { machine, drv, what, profile: None };
    match &machine.build.place {
        BuildPlace::Host(host) => build_on_host(nix, host, wanted, report).await,
        BuildPlace::Local | BuildPlace::Target => build_through_nix(nix, wanted, report).await,
    }
}

/// The path of the built image, if its file exists.
fn with_its_file(machine: &Machine, image: &Image) -> Result<String> {
    let (name, path) = (&machine.name, image.path());
    if Path::new(&path).exists() {
        return Ok(path);
    }
    Err(Failure::unchanged(format!("the build for {name} is not the image that it names"))
        .because(format!("there is no {path}"))
        .hint(Some(format!("deploy.nodes.{name}.image.file is a path below the package"))))
}

/// What a build would do, without building.
pub async fn missing(nix: &Nix, all: &[BuildTarget<'_>]) -> Result<BuildWork> {
    let mut missing = BuildWork::default();
    for wanted in all {
        let more = nix.dry_run(wanted.drv).await.map_err(|error| {
            let name = &wanted.machine.name;
            Failure::unchanged(format!("cannot determine what would be built for {name}"))
                .because(error)
        })?;
        missing.build.extend(more.build);
        missing.fetch.extend(more.fetch);
    }
    Ok(missing)
}

/// Builds on this computer and on the builders that Nix knows.
async fn build_through_nix(
    nix: &Nix,
    wanted: BuildTarget<'_>,
    report: &Report,
) -> Result<StorePath> {
    let machine = wanted.machine;
    let tell = |progress| report.tell(Event::Build { machine: machine.name.clone(), progress });
    let error = match nix.build(wanted.drv, None, tell, ignored(machine, report)).await {
        Ok(out) => return Ok(out),
        Err(error) => error,
    };
    let foreign = match error.diagnoses().contains(&NixDiagnosis::NoBuilder) {
        true => foreign_systems(nix, wanted).await,
        false => Vec::new(),
    };
    Err(failed(wanted, error, foreign))
}

/// Warns about each setting that the Nix daemon ignores. Otherwise Nix would silently build all
/// that the flake's cache has.
fn ignored<'r>(machine: &Machine, report: &'r Report) -> impl FnMut(String) + 'r {
    let machine = machine.name.clone();
    move |text| report.tell(Event::Warning { machine: Some(machine.clone()), text })
}

/// The platforms that the derivations need and this computer does not build for.
async fn foreign_systems(nix: &Nix, wanted: BuildTarget<'_>) -> Vec<String> {
    let (Ok(needed), Ok(settings)) = (nix.systems_of(wanted.drv).await, nix.settings().await)
    else {
        return Vec::new();
    };
    needed.into_iter().filter(|system| !settings.systems.contains(system)).collect()
}
