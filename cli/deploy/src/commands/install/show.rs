//! What an installation does, for people, before anything is changed.

use std::path::Path;

use super::{carry_out::installation, key::KeyPlan, look::Looked};
use crate::{
    install::anywhere::{InstallPhase, PROGRAM},
    report::bytes,
    tools::shell,
};

/// The computer, its disks, the key, and each step.
pub fn plan(looked: &Looked, key: &KeyPlan) -> Vec<String> {
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
    let command = |phase: InstallPhase| command(looked, phase);
    let mut steps = vec![format!("build both of them and {PROGRAM}; nothing is built on {host}")];
    if !fit.is_installer {
        let does = InstallPhase::Kexec.does();
        steps.push(format!("{does}: {}", command(InstallPhase::Kexec)));
        steps.push("log in to the installer, and look again whether the computer fits".to_owned());
    }
    for phase in [InstallPhase::Disko, InstallPhase::Install] {
        steps.push(format!("{}: {}", phase.does(), command(phase)));
    }
    steps.push(format!("look on {host} whether the system and the host key are there"));
    steps.push(format!("{}: {}", InstallPhase::Reboot.does(), command(InstallPhase::Reboot)));
    let (name, hostname) = (&machine.name, &machine.ssh.hostname);
    steps.push(format!("wait for {hostname} with its new host key, and record that"));
    steps.push(format!(
        "checks, confirmation by a new login, and the first record, as deploy {name} does"
    ));
    lines.extend((1..).zip(steps).map(|(number, step)| format!("step {number}:   {step}")));
    lines
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
    let work = installation(looked, paths, Path::new(PROGRAM), "…/files".into(), options);
    format!("{PROGRAM} {}", shell::line(work.args(phase).iter().map(String::as_str)))
}

/// The question before anything is changed.
pub fn question(looked: &Looked) -> String {
    let disks: Vec<&str> = looked.fit.disks.iter().map(|disk| disk.path.as_str()).collect();
    format!("overwrite {} of {} with {}?", disks.join(", "), looked.host, looked.name())
}
