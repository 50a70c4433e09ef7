//! The systems that hosts boot, and their switch.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use deploy_lab::hosts::{Host, HostSpec, Lab, wait};
use deploy_lab::systems::{
    self, BASELINE, FOLDER, Fault, Fleet, Generation, Image, Loader, Module, PAIR, Prepared, REAL,
    RealFleet,
};

use crate::harness::Scenario;

pub const ALL: &[Scenario] = &[
    Scenario::new("the-baseline-runs-and-boots-generation-1", baseline),
    Scenario::new("each-boot-loader-s-default-entry-is-what-boots", loaders),
    Scenario::new("a-truncated-kernel-does-not-boot", truncated_kernel),
    Scenario::new("the-flake-evaluates-as-a-real-one", flake),
    Scenario::new("each-fault-is-one", faults),
    Scenario::new("each-fault-is-one-on-a-real-system", real_faults).unless(|| REAL.missing()),
    Scenario::new("a-real-nixos-system-boots-and-is-switched", real).unless(|| REAL.missing()),
];

const RUNS: &str = "readlink /run/current-system";
const TOPLEVEL: &str = "nixosConfigurations.frame1.config.system.build.toplevel";

fn both(lab: &mut Lab, set: &Prepared) -> Result<(Host, Host)> {
    let mac = lab.prepared(set, "mac")?;
    let frame1 = lab.prepared(set, "frame1")?;
    mac.boot()?;
    frame1.boot()?;
    frame1.wait_until_up()?;
    mac.wait_until_up()?;
    Ok((mac, frame1))
}

fn stc(host: &Host, system: &str, verb: &str) -> Result<i32> {
    let program = format!("{system}/bin/switch-to-configuration");
    Ok(host.command([program.as_str(), verb]).run()?.code)
}

fn baseline(lab: &mut Lab) -> Result<()> {
    let (mac, frame1) = both(lab, &BASELINE)?;
    let facts = mac.sh("ssh frame1 'cat /etc/generation; readlink /run/current-system \
                        /run/booted-system; readlink -f /nix/var/nix/profiles/system; hostname'")?;
    let facts: Vec<&str> = facts.lines().collect();
    let system = facts[1];
    ensure!(system.ends_with("-nixos-system-frame1-25.11.1"), "{facts:?}");
    ensure!(facts == ["1", system, system, system, "frame1"], "{facts:?}");
    ensure!(mac.sh("ssh admin@frame1 sudo -n id -un")? == "root", "no sudo for admin");
    // The same file gives the same system when it is built on the operator's computer.
    Fleet::of("frame1", Generation::new("frame1", 1)).write(&mac)?;
    let path = mac.sh(&format!("nix eval --raw {FOLDER}#{TOPLEVEL}.outPath"))?;
    ensure!(path == system, "the operator's machine makes {path}, frame1 runs {system}");
    ensure!(frame1.sh("systemctl is-system-running")? == "running", "a unit failed");
    Ok(())
}

fn loaders(lab: &mut Lab) -> Result<()> {
    for (loader, name) in
        [(Loader::Grub, "frame1"), (Loader::Extlinux, "frame2"), (Loader::SystemdBoot, "frame3")]
    {
        let host = lab.new_host(HostSpec::named(name)?)?;
        host.boot()?;
        host.wait_until_up()?;
        let one = systems::install(lab, &host, &Generation::new(name, 1), loader)?;
        let two = systems::build(lab, &Generation::new(name, 2))?;
        systems::closure(lab, &host, &[&two])?;
        host.power_cut_and_boot()?;
        ensure!(host.sh(RUNS)? == one, "{loader:?} does not boot what was installed");
        host.sh(&format!("nix-env --profile /nix/var/nix/profiles/system --set {two}"))?;
        ensure!(stc(&host, &two, "boot")? == 0, "{loader:?}: boot failed");
        host.sync()?;
        host.power_cut_and_boot()?;
        ensure!(host.sh(RUNS)? == two, "{loader:?} does not boot the second generation");
        // Going back adds no entry; only the default changes.
        ensure!(stc(&host, &one, "boot")? == 0, "{loader:?}: boot failed");
        host.sync()?;
        host.power_cut_and_boot()?;
        ensure!(host.sh(RUNS)? == one, "{loader:?} does not boot the first generation again");
        host.power_cut()?;
    }
    Ok(())
}

fn truncated_kernel(lab: &mut Lab) -> Result<()> {
    let frame1 = lab.prepared(&BASELINE, "frame1")?;
    frame1.boot()?;
    frame1.sh("for file in /boot/kernels/*-bzImage; do truncate -s 1000 $file; done")?;
    frame1.sync()?;
    frame1.power_cut()?;
    let Err(error) = frame1.boot() else { bail!("it booted") };
    let text = format!("{error:#}");
    ensure!(text.contains("kernel") && text.contains("differs from"), "{text}");
    Ok(())
}

fn flake(lab: &mut Lab) -> Result<()> {
    let mac = lab.prepared(&PAIR, "mac")?;
    mac.boot()?;
    mac.wait_until_up()?;
    let generation = Generation::new("frame1", 7).kernel(Image::new("6.12.7", 128));
    Fleet::of("frame1", generation).node("frame1", "confirmTimeout", 7).write(&mac)?;
    let eval = |attribute: &str| mac.sh(&format!("nix eval --json {FOLDER}#{attribute}"));
    ensure!(eval("deploy.nodes.frame1.confirmTimeout")? == "7", "the node's settings");
    let host = "nixosConfigurations.frame1.config.networking.hostName";
    ensure!(eval(host)? == "\"frame1\"", "the configuration's host name");
    let path = "deploy.nodes.frame1.profiles.system.path";
    let profile = mac.sh(&format!("nix build --no-link --print-out-paths {FOLDER}#{path}"))?;
    let script = mac.read(&format!("{profile}/deploy-rs-activate"))?;
    ensure!(script.contains("cd /tmp") && script.contains("switch-to-configuration switch"));
    mac.sh(&format!(
        "test -x {profile}/activate-rs; test -e {profile}/bin/switch-to-configuration"
    ))?;
    ensure!(mac.sh(&format!("git -C {FOLDER} status --short"))?.is_empty(), "the tree is dirty");
    Ok(())
}

/// The faults, each with the possible exit codes of the switch to it.
fn all_faults() -> Vec<(Fault, &'static [i32])> {
    let second = Duration::from_secs(1);
    vec![
        (Fault::NoSshd, &[0]),
        (Fault::RefusedLogins, &[0]),
        (Fault::NoKeys, &[0]),
        (Fault::NoSudo, &[0]),
        (Fault::FailingUnit, &[4]),
        (Fault::DyingUnit { life: second, pause: second / 5 }, &[0]),
        (Fault::Http { port: 8080, after: second * 4, answers: vec![(1, 200), (0, 500)] }, &[0]),
        // In emergency mode the switch sees a failed unit or loses the bus, depending on a race.
        (Fault::FailingMount, &[1, 4]),
    ]
}

fn faults(lab: &mut Lab) -> Result<()> {
    let (mac, frame1) = both(lab, &BASELINE)?;
    see_all(&mac, &frame1, |fault| {
        Fleet::of("frame1", Generation::new("frame1", 2).with(fault)).write(&mac)?;
        systems::build_and_copy(&mac, &frame1)
    })
}

fn real_faults(lab: &mut Lab) -> Result<()> {
    let (mac, frame1) = both(lab, &REAL)?;
    see_all(&mac, &frame1, |fault| {
        RealFleet::of("frame1", Module::new(2).with(fault)).write(&mac)?;
        systems::build_and_copy(&mac, &frame1)
    })
}

/// Switches to a system with each fault, verifies the fault, and switches back.
fn see_all(mac: &Host, frame1: &Host, system: impl Fn(&Fault) -> Result<String>) -> Result<()> {
    let one = frame1.sh(RUNS)?;
    frame1.wait_for_ssh(wait::PATIENCE)?;
    for (fault, codes) in all_faults() {
        ensure!(login(mac, "sudo -n true")? == 0, "before {fault:?}: no login");
        let system = system(&fault)?;
        let mut open = mac.command(["ssh", "frame1", "echo in; sleep 1000"]).spawn()?;
        wait::until("in", wait::PATIENCE, || Ok(open.stdout()? == "in\n"))?;
        let ended = stc(frame1, &system, "test")?;
        ensure!(codes.contains(&ended), "{fault:?}: the switch ended with {ended}");
        see(mac, frame1, &fault).with_context(|| format!("{fault:?}"))?;
        if matches!(fault, Fault::FailingMount) {
            break;
        }
        ensure!(open.is_running()?, "{fault:?}: the open connection ended");
        open.kill()?;
        ensure!(stc(frame1, &one, "test")? == 0, "{fault:?}: no way back");
        frame1.wait_for_ssh(wait::PATIENCE)?;
    }
    Ok(())
}

fn see(mac: &Host, frame1: &Host, fault: &Fault) -> Result<()> {
    let limit = wait::PATIENCE;
    match fault {
        Fault::NoSshd | Fault::RefusedLogins | Fault::NoKeys => {
            ensure!(login(mac, "true")? == 255, "a login works");
        }
        // The switch may end before the emergency has stopped sshd.
        Fault::FailingMount => {
            wait::until("no login works", limit, || Ok(login(mac, "true")? == 255))?;
        }
        Fault::NoSudo => {
            ensure!(login(mac, "true")? == 0, "the login fails");
            ensure!(login(mac, "sudo -n true")? != 0, "sudo works");
        }
        Fault::FailingUnit => {
            frame1.sh("systemctl is-failed broken.service")?;
        }
        Fault::DyingUnit { .. } => wait::until("it was started again", limit, || {
            let restarts =
                frame1.sh("systemctl show --value --property=NRestarts dying.service")?;
            Ok(restarts != "0")
        })?,
        Fault::Http { .. } => {
            let ask = "curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/ || :";
            ensure!(frame1.sh(ask)? == "000", "it answers too early");
            wait::until("it answers", limit, || Ok(frame1.sh(ask)? == "200"))?;
            ensure!(frame1.sh(ask)? == "500", "no second answer");
        }
        Fault::HangingUnit => bail!("the switch to it does not end"),
        Fault::NoSshdUntilReboot => bail!("what ran before has no sshd either after it"),
    }
    Ok(())
}

fn login(mac: &Host, words: &str) -> Result<i32> {
    let words = ["ssh", "-o", "ControlPath=none", "-o", "BatchMode=yes", "admin@frame1", words];
    Ok(mac.command(words).run()?.code)
}

fn real(lab: &mut Lab) -> Result<()> {
    let (mac, frame1) = both(lab, &REAL)?;
    frame1.wait_for_ssh(wait::PATIENCE)?;
    let one = frame1.sh("readlink -f /nix/var/nix/profiles/system")?;
    ensure!(mac.sh(&format!("ssh frame1 {RUNS}"))? == one, "another system runs");
    ensure!(mac.sh("ssh admin@frame1 sudo -n id -un")? == "root", "no sudo for admin");
    let password = format!("{}\n", deploy_lab::hosts::ASKADMIN_PASSWORD);
    let told = mac.command(["ssh", "askadmin@frame1", "sudo -S id -un"]).stdin(password).run()?;
    ensure!(told.success()?.stdout == "root\n", "no sudo for askadmin");
    RealFleet::of("frame1", Module::new(2).with(&Fault::NoSshd)).write(&mac)?;
    let closed = systems::build_and_copy(&mac, &frame1)?;
    ensure!(stc(&frame1, &closed, "test")? == 0, "the switch failed");
    ensure!(mac.command(["ssh", "frame1", "true"]).run()?.code == 255, "sshd runs");
    // NixOS renames /etc/passwd without a sync, and here no agent syncs it.
    frame1.sync()?;
    frame1.power_cut_and_boot()?;
    frame1.wait_for_ssh(wait::PATIENCE)?;
    ensure!(mac.sh(&format!("ssh frame1 {RUNS}"))? == one, "it boots another system");
    Ok(())
}
