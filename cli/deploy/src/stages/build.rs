//! From a derivation to a closure: here, through Nix's builders, or on the
//! machine itself.

use std::path::Path;

use deploy_wire::{
    machine::{BuildPlace, Image, Machine},
    store_path::StorePath,
};

use super::{ask::Probed, builder, left_behind, mark, profile};
use crate::{
    error::{Failure, Result},
    report::{Event, Report, Stage},
    tools::{
        nix::{Nix, NixError, RemoteStore},
        place::Place,
    },
};

/// Where a closure is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// In the store of this computer.
    Here,
    /// In the machine's store already.
    OnTarget,
}

/// A closure that is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The NixOS system itself.
    pub toplevel: StorePath,
    /// What was built: the toplevel, or a deploy-rs profile around it.
    pub out: StorePath,
    /// Where it is.
    pub place: Where,
}

/// What is to be built for a machine.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'m> {
    machine: &'m Machine,
    drv: &'m StorePath,
    /// What people call it.
    what: &'static str,
}

impl<'m> Wanted<'m> {
    /// Its system.
    pub fn system(machine: &'m Machine) -> Self {
        Self { machine, drv: &machine.toplevel.drv, what: "system" }
    }

    /// Its image.
    pub fn image(machine: &'m Machine, image: &'m Image) -> Self {
        Self { machine, drv: &image.drv, what: "image" }
    }
}

/// Builds the wanted system of a machine.
pub async fn build(nix: &Nix, probed: &Probed, report: &Report) -> Result<Built> {
    let machine = &probed.machine;
    let wanted = Wanted::system(machine);
    report.tell(Event::Stage { machine: machine.name.clone(), stage: Stage::Build });
    let place = builder::choose(nix, machine).await;
    let tell = |progress| report.tell(Event::Build { machine: machine.name.clone(), progress });
    let (out, on_target) = match (&place, probed.place.login()) {
        (BuildPlace::Target, Some(_)) => {
            let lease = left_behind::begin(probed, report).await?;
            let store = probed.store(&lease)?;
            let mark = mark::set(probed, report).await?;
            let built = nix.build(wanted.drv, Some(&store), tell).await;
            let cleared = mark.clear(&machine.name).await;
            let out = built.map_err(|error| failed(wanted, error, Vec::new()))?;
            lease.over();
            cleared?;
            (out, true)
        }
        (BuildPlace::Host(host), _) => (on_host(nix, host, wanted, report).await?, false),
        _ => (through_nix(nix, wanted, report).await?, false),
    };
    let on_target = on_target || matches!(probed.place, Place::Here);
    let toplevel = if on_target {
        profile::system_at(&probed.place, &machine.name, &out).await?
    } else {
        profile::system_here(&machine.name, &out)?
    };
    Ok(Built { toplevel, out, place: if on_target { Where::OnTarget } else { Where::Here } })
}

/// Builds without any machine: the system, or the image that there is in place of it. The
/// path of what came out, in the store here.
pub async fn here(nix: &Nix, machine: &Machine, report: &Report) -> Result<String> {
    report.tell(Event::Stage { machine: machine.name.clone(), stage: Stage::Build });
    let wanted = match &machine.image {
        Some(image) => Wanted::image(machine, image),
        None => Wanted::system(machine),
    };
    let out = match &machine.build.place {
        BuildPlace::Host(host) => on_host(nix, host, wanted, report).await?,
        BuildPlace::Local | BuildPlace::Target => through_nix(nix, wanted, report).await?,
    };
    match &machine.image {
        Some(image) => with_its_file(machine, image),
        None => Ok(profile::system_here(&machine.name, &out)?.to_string()),
    }
}

/// The path of an image that was built, if its file is there.
fn with_its_file(machine: &Machine, image: &Image) -> Result<String> {
    let (name, path) = (&machine.name, image.path());
    if Path::new(&path).exists() {
        return Ok(path);
    }
    Err(Failure::unchanged(format!("what was built for {name} is not the image it names"))
        .because(format!("there is no {path}"))
        .hint(Some(format!("deploy.nodes.{name}.image.file is a path below the package"))))
}

/// What a build has to do, by name.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Missing {
    /// What has to be built.
    pub build: Vec<String>,
    /// What can be fetched.
    pub fetch: Vec<String>,
}

/// What a build would do. Builds nothing.
pub async fn missing(nix: &Nix, wanted: Wanted<'_>) -> Result<Missing> {
    let said = nix.dry_run(wanted.drv).await.map_err(|error| {
        let name = &wanted.machine.name;
        Failure::unchanged(format!("what is to be built for {name} cannot be told")).because(error)
    })?;
    Ok(read_dry_run(&said))
}

/// Reads "these N derivations will be built:" and "these N paths will be
/// fetched (…):", each followed by indented paths.
fn read_dry_run(said: &str) -> Missing {
    let mut missing = Missing::default();
    let mut into: Option<&mut Vec<String>> = None;
    for line in said.lines() {
        match line.strip_prefix("  ").map(StorePath::parse) {
            Some(Ok(path)) => {
                if let Some(names) = into.as_mut() {
                    names.push(path.name().trim_end_matches(".drv").to_owned());
                }
            }
            _ if line.contains("will be built") => into = Some(&mut missing.build),
            _ if line.contains("will be fetched") => into = Some(&mut missing.fetch),
            _ => into = None,
        }
    }
    missing
}

/// By this computer and the builders that Nix knows.
async fn through_nix(nix: &Nix, wanted: Wanted<'_>, report: &Report) -> Result<StorePath> {
    let machine = wanted.machine;
    let tell = |progress| report.tell(Event::Build { machine: machine.name.clone(), progress });
    let error = match nix.build(wanted.drv, None, tell).await {
        Ok(out) => return Ok(out),
        Err(error) => error,
    };
    let foreign =
        if lacks_builder(&error) { foreign_systems(nix, wanted).await } else { Vec::new() };
    Err(failed(wanted, error, foreign))
}

/// In the store of another host, by its own Nix with its own settings; then the
/// closure comes here.
async fn on_host(nix: &Nix, host: &str, wanted: Wanted<'_>, report: &Report) -> Result<StorePath> {
    let Wanted { machine, drv, what } = wanted;
    let tell = |progress| report.tell(Event::Build { machine: machine.name.clone(), progress });
    let store = RemoteStore::of_builder(host);
    let out = nix.build(drv, Some(&store), tell).await.map_err(|error| {
        let what = format!("the {what} for {} cannot be built on {host}", machine.name);
        let hint = has_no_way(&error).then(|| format!("`ssh {host} true` has to work from here"));
        Failure::unchanged(what).because(error).hint(hint)
    })?;
    nix.copy_here(&out, &store, tell).await.map_err(|error| {
        Failure::unchanged(format!("what {host} built for {} cannot be fetched", machine.name))
            .because(error)
    })?;
    Ok(out)
}

/// The platforms that derivations need and this computer is not.
async fn foreign_systems(nix: &Nix, wanted: Wanted<'_>) -> Vec<String> {
    let (Ok(needed), Ok(settings)) = (nix.systems_of(wanted.drv).await, nix.settings().await)
    else {
        return Vec::new();
    };
    needed.into_iter().filter(|system| !settings.systems.contains(system)).collect()
}

/// Nix says it in two ways: "a 'aarch64-linux' with features {} is required to
/// build …" of what was asked for, "Unable to start any build" of what that needs.
fn lacks_builder(error: &NixError) -> bool {
    let text = error.to_string();
    ["is required to build", "required system or feature", "Unable to start any build"]
        .into_iter()
        .any(|words| text.contains(words))
}

/// Whether no connection to a builder came about.
fn has_no_way(error: &NixError) -> bool {
    error.to_string().contains("failed to start SSH connection")
}

/// `foreign` are the platforms that nothing here is.
fn failed(wanted: Wanted<'_>, error: NixError, foreign: Vec<String>) -> Box<Failure> {
    let Wanted { machine, what, .. } = wanted;
    let name = &machine.name;
    let systems = if foreign.is_empty() { machine.system.to_string() } else { foreign.join(", ") };
    let no_way = has_no_way(&error).then(|| {
        "`ssh BUILDER true` has to work without a question, for the user that Nix's daemon runs as"
            .to_owned()
    });
    let no_builder = lacks_builder(&error).then(|| {
        format!(
            "nothing here builds all that it needs for {systems}; three ways out:\n\
             the machine itself: --build-on target\n\
             a builder: --build-on HOST, /etc/nix/machines, or -- --builders 'ssh-ng://HOST {}'\n\
             emulation here: boot.binfmt.emulatedSystems, or extra-platforms in nix.conf",
            foreign.first().map_or(machine.system.as_str(), String::as_str)
        )
    });
    Failure::unchanged(format!("the {what} for {name} cannot be built"))
        .because(error)
        .hint(no_builder)
        .hint(no_way)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dry_run_is_read() {
        let path = "/nix/store/11111111111111111111111111111111";
        let said = format!(
            "warning: x\nthis derivation will be built:\n  {path}-a.drv\n\
             these 2 paths will be fetched (1.0 MiB download, 2.0 MiB unpacked):\n  {path}-b\n  {path}-c\n"
        );
        let missing = read_dry_run(&said);
        assert_eq!(missing.build, ["a"]);
        assert_eq!(missing.fetch, ["b", "c"]);
    }
}
