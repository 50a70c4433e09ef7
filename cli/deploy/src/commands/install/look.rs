//! The flake's machine, the computer, and whether both fit.

use std::path::PathBuf;

use deploy_wire::machine::{Machine, Ssh};

use crate::{
    args::InstallArgs,
    commands::{build::place, evaluate},
    error::{Failure, Result},
    install::{
        facts::{self, ComputerFacts},
        fit::{Fit, Fitting, Wipe},
        wish::InstallWish,
    },
    report::Report,
    stages::{
        ask::{self, Passwords, Probed, Way},
        flake::{self, Aim, Selection},
        fleet::{self, overrides::Overrides, source},
        plan::secrets,
    },
    tools::{nix::Nix, place::Place},
};

/// What the command line means.
pub struct InstallRequest {
    selection: Selection,
    overrides: Overrides,
}

/// A machine of the flake, and a computer that it may be installed on.
pub struct Looked {
    /// Nix, which evaluated the flake.
    pub nix: Nix,
    /// The machine.
    pub machine: Machine,
    /// What its configuration wants of a computer.
    pub wish: InstallWish,
    /// The address of the computer, as the operator named it.
    pub host: String,
    /// The computer, logged in to as root.
    pub probed: Probed,
    /// What it says of itself.
    pub facts: ComputerFacts,
    /// Its disks that are written, and whether it is an installer.
    pub fit: Fit,
    /// The flake and the machine's name in it.
    pub selection: Selection,
    /// Values of the command line that replace the flake's.
    pub overrides: Overrides,
    /// The flake's folder here, if it is one.
    pub folder: Option<PathBuf>,
}

impl Looked {
    /// The machine's name.
    pub fn name(&self) -> String {
        self.machine.name.clone()
    }

    /// Logs in again, to the installer that runs in place of the system that was looked at, and refuses
    /// what does not fit now.
    pub async fn look_again(
        &mut self,
        port: Option<u16>,
        opts: Vec<String>,
        report: &Report,
    ) -> Result<()> {
        let Self { machine, host, wish, .. } = &*self;
        let probed = log_in(machine, host, (port, opts), report).await?;
        let facts = ask_facts(&probed, host, wish).await?;
        let fitting = Fitting { machine, host, wish, wipe: Wipe::Agreed };
        let fit = fitting.fit(&facts)?;
        if !fit.is_installer {
            return Err(Failure::unchanged(format!("{host} did not become an installer"))
                .because("it still runs from its disk"));
        }
        (self.probed, self.facts, self.fit) = (probed, facts, fit);
        Ok(())
    }

    /// Where commands run on the computer.
    pub fn place(&self) -> &Place {
        &self.probed.place
    }
}

/// Reads the command line.
pub fn wanted(args: &InstallArgs) -> Result<InstallRequest> {
    let selection = flake::select(std::slice::from_ref(&args.machine))?.aimed_at(Aim::Deploy);
    let name = selection.names.as_ref().and_then(|names| names.first()).map(|name| name.name());
    let Some(name) = name else {
        return Err(Failure::unchanged(format!("`{}` names no machine", args.machine))
            .hint(Some(format!("one machine is installed at a time: {}#NAME", args.machine))));
    };
    if let Some(other) = args.wipe.as_ref().filter(|wipe| **wipe != name) {
        return Err(Failure::unchanged(format!("--wipe names `{other}`, and {name} is installed"))
            .because("it takes the name of the machine, so that no other is lost by mistake")
            .hint(Some(format!("--wipe {name}"))));
    }
    if let Some((user, host)) = args.host.rsplit_once('@').filter(|(user, _)| *user != "root") {
        return Err(Failure::unchanged(format!("{user} on {host} cannot install a machine"))
            .because("deploy install logs in as root")
            .hint(Some(format!(
                "on NixOS's own image `sudo passwd root` there sets a password; then --host {host}"
            ))));
    }
    let overrides =
        Overrides { build: place(args.build_on.as_deref())?, ..args.showing.overrides() };
    Ok(InstallRequest { selection, overrides })
}

/// Evaluates, logs in, and refuses what does not fit. Nothing is changed.
pub async fn look(args: &InstallArgs, wanted: InstallRequest, report: &Report) -> Result<Looked> {
    let InstallRequest { selection, overrides } = wanted;
    let (nix, machine) = machine(&selection, &overrides, report).await?;
    let wish = fleet::installation(&nix, &machine.name, &selection, &overrides, report).await?;
    let wish = InstallWish::read(&machine.name, wish)?;
    secrets::refuse_unmade(&machine)?;
    let host = args.host.strip_prefix("root@").unwrap_or(&args.host).to_owned();
    let probed = log_in(&machine, &host, (args.port, Vec::new()), report).await?;
    let facts = ask_facts(&probed, &host, &wish).await?;
    let wipe = if args.wipe.is_some() { Wipe::Agreed } else { Wipe::No };
    let fitting = Fitting { machine: &machine, host: &host, wish: &wish, wipe };
    let fit = fitting.fit(&facts)?;
    let folder = source::folder(&selection.flake);
    Ok(Looked { nix, machine, wish, host, probed, facts, fit, selection, overrides, folder })
}

/// Evaluates the flake for the machine alone, with its system alone.
pub async fn machine(
    selection: &Selection,
    overrides: &Overrides,
    report: &Report,
) -> Result<(Nix, Machine)> {
    let (nix, mut fleet) = evaluate::machines(selection, overrides, report).await?;
    let lines = fleet::systems_alone(&mut fleet.machines, "deploy install")?;
    let machine = fleet.machines.into_iter().next();
    let machine = machine.ok_or_else(|| Failure::unchanged("the flake has no such machine"))?;
    lines.into_iter().for_each(|line| report.note(&machine.name, line));
    Ok((nix, machine))
}

/// Logs in to the computer as root, whatever the flake says of the machine.
async fn log_in(
    machine: &Machine,
    host: &str,
    (port, opts): (Option<u16>, Vec<String>),
    report: &Report,
) -> Result<Probed> {
    let mut computer = machine.clone();
    computer.ssh = Ssh {
        hostname: host.to_owned(),
        addresses: Vec::new(),
        port,
        user: Some("root".to_owned()),
        opts,
        host_key: None,
    };
    computer.sudo = None;
    let probed = ask::ask(computer, Way::Ssh, &mut Passwords::default(), report).await;
    probed.map_err(|mut failure| {
        failure.what = format!("cannot log in to root@{host}");
        let hint = failure.hint.iter().cloned();
        let installed = format!("where {0} is installed there already: deploy {0}", machine.name);
        let hint = hint.chain([installed]).collect::<Vec<_>>().join("\n");
        failure.hint(hint)
    })
}

async fn ask_facts(probed: &Probed, host: &str, wish: &InstallWish) -> Result<ComputerFacts> {
    let failed = || Failure::unchanged(format!("cannot tell what {host} is"));
    let said = probed.place.run(&facts::script(&wish.devices()), "").await;
    ComputerFacts::read(&said.map_err(|error| failed().because(error))?)
        .map_err(|why| failed().because(why))
}
