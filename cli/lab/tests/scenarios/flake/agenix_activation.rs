//! What the activation does with agenix's secrets on real NixOS, without `deploy`: as
//! `nixos-rebuild` activates.

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::Lab;
use deploy_lab::systems::{AgenixFleet, FOLDER};

use super::agenix::{Sealed, missing};
use crate::harness::{MEASURED, Scenario};

pub const ALL: &[Scenario] = &[
    Scenario::new("a-secret-that-cannot-be-decrypted-leaves-those-of-before-on-real-nixos", kept)
        .unless(missing),
    Scenario::new("a-unit-puts-secrets-in-place-where-a-unit-makes-the-users-on-real-nixos", unit)
        .unless(missing),
    Scenario::new("a-hundred-secrets-that-stay-are-not-decrypted-again-on-real-nixos", hundred)
        .unless(missing),
];

/// The option that gives agenix's own script back.
const OWN: &str = "homelab.secrets.keepWorking = false;";

/// Builds the flake's system for frame1 and copies it there.
fn copied(sealed: &Sealed) -> Result<String> {
    let system = sealed.0.mac.sh(&format!(
        "nix build --no-link --print-out-paths \
         {FOLDER}#nixosConfigurations.frame1.config.system.build.toplevel"
    ))?;
    sealed.0.mac.sh(&format!("nix copy --no-check-sigs --to ssh-ng://root@frame1 {system}"))?;
    Ok(system)
}

/// The secrets on the machine: each file with its text.
fn secrets(sealed: &Sealed) -> Result<String> {
    sealed.0.frame1.sh("cd /run/agenix; grep -H . * || :")
}

fn kept(lab: &mut Lab) -> Result<()> {
    let sealed = Sealed::deployed(lab, &["token", "word"])?;
    let frame1 = &sealed.0.frame1;
    let before = secrets(&sealed)?;
    ensure!(before.lines().count() == 2, "{before}");
    let generation = frame1.sh("readlink /run/agenix")?;
    sealed.edit(
        "ssh-keygen -q -t ed25519 -N '' -f /root/other; \
         printf x | age -R /root/other.pub -o secrets/word.age",
    )?;
    sealed.has(&AgenixFleet::new(3, ["token", "word"]))?;
    let system = copied(&sealed)?;
    let test = format!("{system}/bin/switch-to-configuration test 2>&1");
    let ran = frame1.command(["sh", "-c", &test]).run()?;
    ensure!(ran.code != 0, "it is no failure: {}", ran.stdout);
    ensure!(ran.stdout.contains("secret word: "), "the secret is not named: {}", ran.stdout);
    ensure!(secrets(&sealed)? == before, "they became {}", secrets(&sealed)?);
    ensure!(frame1.sh("readlink /run/agenix")? == generation, "the generation was replaced");
    let left = frame1.sh("ls /run/agenix.d")?;
    ensure!(generation.ends_with(&left), "left behind: {left}");

    // At boot there is none before: what can be decrypted is put in place.
    frame1.sh("umount /run/agenix.d; rm /run/agenix")?;
    let ran = frame1.command(["sh", "-c", &test]).run()?;
    ensure!(ran.code != 0, "it is no failure: {}", ran.stdout);
    let found = secrets(&sealed)?;
    ensure!(found.starts_with("token:") && found.lines().count() == 1, "at boot: {found}");

    sealed.edit("git checkout -q HEAD~2 -- secrets/word.age")?;
    sealed.has(&AgenixFleet::new(4, ["token", "word"]))?;
    let works = format!("{}/bin/switch-to-configuration test", copied(&sealed)?);
    frame1.sh(&works)?;
    ensure!(secrets(&sealed)? == before, "it did not come back: {}", secrets(&sealed)?);

    // A copy would keep what somebody wrote there.
    frame1.sh("chmod u+w /run/agenix/token; echo spoilt > /run/agenix/token")?;
    frame1.sh(&works)?;
    ensure!(secrets(&sealed)? == before, "it stays spoilt: {}", secrets(&sealed)?);

    // agenix's own script removes what worked: the trap that this is about.
    sealed.edit("printf x | age -R /root/other.pub -o secrets/word.age")?;
    sealed.has(&AgenixFleet::new(5, ["token", "word"]).line(OWN))?;
    let test = format!("{}/bin/switch-to-configuration test", copied(&sealed)?);
    frame1.command(["sh", "-c", &test]).run()?;
    let found = secrets(&sealed)?;
    ensure!(found.lines().count() == 1, "agenix has changed: {found}");
    Ok(())
}

/// The steps of the activation that put secrets in place, as a script at `path` on frame1. A system
/// with a hundred secrets by agenix's own script cannot be built here: its text is too long for an
/// environment variable of the builder.
fn steps(sealed: &Sealed, path: &str) -> Result<()> {
    let steps = "steps: steps.agenixNewGeneration.text + steps.agenixInstall.text + \
                 steps.agenixChown.text";
    let text = sealed.0.mac.sh(&format!(
        "nix eval --raw {FOLDER}#nixosConfigurations.frame1.config.system.activationScripts \
         --apply '{steps}'"
    ))?;
    let copy = sealed.0.frame1.command(["sh", "-c", &format!("cat > {path}")]);
    copy.stdin(text).run()?.success()?;
    Ok(())
}

/// Milliseconds that a script takes: the median of five.
fn takes(sealed: &Sealed, script: &str, before: &str) -> Result<u32> {
    let script = format!(
        "for turn in 1 2 3 4 5; do {before}; s=$(date +%s%N); bash {script} > /tmp/said 2>&1; \
         e=$(date +%s%N); echo $(( (e - s) / 1000000 )); done | sort -n | sed -n 3p"
    );
    sealed.0.frame1.sh(&script)?.parse().context("no number")
}

fn hundred(lab: &mut Lab) -> Result<()> {
    let names: Vec<String> = (0..100).map(|number| format!("secret-{number:03}")).collect();
    let sealed = Sealed::deployed(lab, &names)?;
    steps(&sealed, "/root/ours")?;
    sealed.has(&AgenixFleet::new(2, &names).line(OWN))?;
    steps(&sealed, "/root/own")?;
    let none = "umount /run/agenix.d 2> /dev/null || :; rm -f /run/agenix";
    let first = takes(&sealed, "/root/ours", none)?;
    let unchanged = takes(&sealed, "/root/ours", ":")?;
    let said = sealed.0.frame1.sh("cat /tmp/said")?;
    ensure!(said.contains("secrets: 100 of 100 did not change"), "{said}");
    let agenix = takes(&sealed, "/root/own", ":")?;
    let all = secrets(&sealed)?;
    ensure!(all.lines().count() == 100, "{all}");
    println!(
        "{MEASURED}100 secrets: {agenix} ms by agenix's script; by ours {first} ms the first time, and \
         {unchanged} ms where none changed"
    );
    ensure!(unchanged * 2 < agenix, "{unchanged} ms, agenix {agenix} ms");
    Ok(())
}

/// The script of the unit that takes the place of activation steps where `systemd.sysusers` makes the
/// users. A host whose users are made so cannot be had here: NixOS refuses normal users then.
const UNIT_SCRIPT: &str = r#"
let
  machine = (builtins.getFlake "git+file:///root/fleet").nixosConfigurations.frame1;
  byUnit = machine.extendModules { modules = [ { systemd.sysusers.enable = true; } ]; };
  script = byUnit.config.systemd.services.agenix-install-secrets.serviceConfig.ExecStart;
in
builtins.concatStringsSep " " (builtins.attrNames (builtins.getContext "${script}"))
"#;

fn unit(lab: &mut Lab) -> Result<()> {
    let sealed = Sealed::deployed(lab, &["token"])?;
    let (mac, frame1) = (&sealed.0.mac, &sealed.0.frame1);
    let before = secrets(&sealed)?;
    let drv = mac.command(["nix", "eval", "--raw", "--impure", "--expr", UNIT_SCRIPT]);
    let drv = drv.run()?.success()?.stdout;
    let script = mac.sh(&format!("nix build --no-link --print-out-paths '{}^out'", drv.trim()))?;
    mac.sh(&format!("nix copy --no-check-sigs --to ssh-ng://root@frame1 {script}"))?;
    let run = format!("systemd-run --quiet --wait --collect {script}");
    frame1.sh("umount /run/agenix.d; rm /run/agenix")?;
    frame1.sh(&run)?;
    ensure!(secrets(&sealed)? == before, "they are {}", secrets(&sealed)?);
    let is = frame1.sh("stat -Lc '%a %U %G' /run/agenix/token")?;
    ensure!(is == "440 reader reader", "{is}");
    // Without the machine's key it fails, and so does the unit.
    frame1.sh("mv /etc/ssh/ssh_host_ed25519_key /root/")?;
    let ran = frame1.command(["sh", "-c", &run]).run()?;
    frame1.sh("mv /root/ssh_host_ed25519_key /etc/ssh/")?;
    ensure!(ran.code != 0, "it is no failure: {}", ran.stdout);
    ensure!(secrets(&sealed)? == before, "they became {}", secrets(&sealed)?);
    Ok(())
}
