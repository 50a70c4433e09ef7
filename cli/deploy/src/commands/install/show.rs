//! What an installation does, for people, before anything is changed.

use std::path::Path;

use super::{carry_out::installation, key::KeyPlan, look::Looked};
use crate::{
    install::anywhere::{InstallPhase, PROGRAM},
    report::bytes,
    tools::{process, shell},
};

/// The computer, its disks, the key, and what is installed.
pub fn overview(looked: &Looked, key: &KeyPlan) -> Vec<String> {
    let Looked { machine, host, facts, fit, wish, .. } = looked;
    let memory = facts.memory.map(|memory| format!(", {memory} MiB of memory")).unwrap_or_default();
    let firmware = if facts.uefi { "UEFI" } else { "BIOS" };
    let mut lines = vec![format!("computer: {host}, {}, {firmware}{memory}", facts.uname)];
    for disk in &fit.disks {
        let model = if disk.model.is_empty() { "no model" } else { &disk.model };
        let is = if disk.contents.is_empty() { "empty" } else { "all on it is lost" };
        lines.push(format!(
            "disk:     {} is {} ({}, {model}): {is}",
            disk.wanted,
            disk.path,
            bytes(disk.bytes)
        ));
        lines.extend(disk.contents.iter().map(|line| format!("          {line}")));
    }
    lines.extend(key.lines());
    let disko = wish.disko.as_ref().map_or("", |disko| disko.out.as_str());
    let system = machine.toplevel.as_ref().map_or("", |system| system.out.as_str());
    lines.push(format!("disks by: {disko}"));
    let changes =
        if key.changes() { ", and another one once the secrets are encrypted anew" } else { "" };
    lines.push(format!("system:   {system}{changes}"));
    lines
}

/// Each step with its command, for `--dry-run`.
pub fn steps(looked: &Looked, key: &KeyPlan) -> Vec<String> {
    let Looked { machine, host, fit, wish, selection, .. } = looked;
    let (name, hostname) = (&machine.name, &machine.ssh.hostname);
    let phase = |phase: InstallPhase| format!("{}: {}", phase.does(), command(looked, phase));
    let mut steps = Vec::new();
    if key.changes() {
        let key = shell::quote(key.public());
        steps.push(format!(
            "put the host key among the readers, as: deploy secrets recipients add {name} {key}"
        ));
    }
    let drvs = [&wish.disko, &machine.toplevel].into_iter().flatten();
    let drvs: Vec<String> = drvs.map(|package| format!("{}^out", package.drv)).collect();
    steps.push(format!("build here: nix build --no-link {}", drvs.join(" ")));
    steps.push(match process::find(PROGRAM, &[]) {
        Some(program) => format!("take {}", program.display()),
        None => format!(
            "take: nix build --no-link --print-out-paths --inputs-from {} nixpkgs#{PROGRAM}",
            shell::quote(&selection.flake)
        ),
    });
    if !fit.is_installer {
        steps.push(phase(InstallPhase::Kexec));
        steps.push("log in to the installer, and look again whether the computer fits".to_owned());
    }
    steps.extend([InstallPhase::Disko, InstallPhase::Install].map(phase));
    steps.push(format!("look on {host} whether the system and the host key are there"));
    steps.push(phase(InstallPhase::Reboot));
    steps.push(format!("wait for {hostname} with its new host key, and record that"));
    steps.push(format!(
        "checks, confirmation by a new login, and the first record, as: deploy {name}"
    ));
    (1..).zip(steps).map(|(number, step)| format!("step {number}: {step}")).collect()
}

/// The command line of a phase. The folder of the login and of the host key is made when it is needed.
fn command(looked: &Looked, phase: InstallPhase) -> String {
    let Looked { machine, wish, .. } = looked;
    let (Some(disko), Some(system)) = (&wish.disko, &machine.toplevel) else {
        return String::new();
    };
    let options = ["ControlPath=…", "ControlMaster=no", "ProxyCommand=…"].map(str::to_owned);
    // A connection over a login ends with the system that it leads to.
    let options = if phase == InstallPhase::Kexec { Vec::new() } else { options.into() };
    let paths = (&disko.out, &system.out);
    let mut work = installation(looked, paths, Path::new(PROGRAM), "…/files".into(), options);
    if phase == InstallPhase::Kexec {
        work.identity = Some("…/key".into());
    }
    format!("{PROGRAM} {}", shell::line(work.args(phase).iter().map(String::as_str)))
}

/// The question before anything is changed.
pub fn question(looked: &Looked) -> String {
    let disks: Vec<&str> = looked.fit.disks.iter().map(|disk| disk.path.as_str()).collect();
    format!("overwrite {} of {} with {}?", disks.join(", "), looked.host, looked.name())
}
