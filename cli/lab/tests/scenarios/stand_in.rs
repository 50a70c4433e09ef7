//! The stand-in for switch-to-configuration behaves as `systems/BEHAVIOURS.md` says. Each check of
//! `systems/checks` runs on a host, which is then reset to its baseline.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use deploy_lab::hosts::{Host, Lab, Nix};
use deploy_lab::systems::{self, BASELINE, Fleet, Generation};
use serde_json::{Value, json};

use crate::harness::Scenario;

pub const ALL: &[Scenario] = &[
    Scenario::new("each-behaviour-of-the-stand-in-has-its-check", listed),
    Scenario::new("the-stand-in-switches-as-written", behaviours),
];

/// The folder of the checks on the host.
const CHECKS: &str = "/root/checks";

/// The limit in seconds. A check that hangs has failed.
const LIMIT: &str = "40";

/// Runs `lib`, then switches to a system other than the baseline if the check has one, then runs
/// the check.
const RUN: &str = "set -u; . $folder/lib; [ $base = $plain ] || \
                   { stc $base test; exits 0; stc_here $base boot; exits 0; }; \
                   set -e; . $folder/$check";

/// The second run catches what the first one could not start. Lists, fifos, loaders and generations
/// belong to the check. A check that stops the bus leaves none to switch with.
const BACK: &str = "systemctl is-active --quiet dbus.socket || \
                    systemctl start default.target dbus.socket; \
                    rm -rf /run/nixos/*-list /run/hold; \
                    [ ! -e /boot/away ] || { rm -rf /boot/extlinux /boot/nixos /boot/loader \
                    /boot/EFI; mv /boot/away /boot/grub; }; \
                    profile=/nix/var/nix/profiles/system; \
                    nix-env --profile $profile --switch-generation 1; \
                    rm -f $(ls -d $profile-*-link | grep -v -e -1-link); \
                    export NIXOS_NO_CHECK=1; \
                    $plain/bin/switch-to-configuration switch || \
                    $plain/bin/switch-to-configuration switch";

struct Check {
    name: String,
    base: String,
    next: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("systems")
}

fn names() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder().join("checks"))? {
        let name = entry?.file_name().into_string().ok().context("a name in UTF-8")?;
        if name != "lib" {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn listed(_: &mut Lab) -> Result<()> {
    let page = fs::read_to_string(folder().join("BEHAVIOURS.md"))?;
    let names = names()?;
    for name in &names {
        ensure!(page.contains(&format!("`{name}`")), "BEHAVIOURS.md does not name {name}");
    }
    for line in page.lines().filter(|line| line.starts_with("| ") && line.ends_with("` |")) {
        let cell = line.trim_end_matches(" |").rsplit("| ").next().context("a cell")?;
        for name in cell.split(", ").map(|name| name.trim_matches('`')) {
            ensure!(names.iter().any(|known| known == name), "there is no check {name}");
        }
    }
    Ok(())
}

fn behaviours(lab: &mut Lab) -> Result<()> {
    let host = lab.prepared(&BASELINE, "frame1")?;
    host.boot()?;
    host.wait_until_up()?;
    let plain = host.sh("readlink /run/current-system")?;
    let checks = build(lab, &host)?;
    for name in names()?.iter().map(String::as_str).chain(["lib"]) {
        let text = fs::read(folder().join("checks").join(name))?;
        host.write(&format!("{CHECKS}/{name}"), text, 0o644)?;
    }
    let mut failed = Vec::new();
    for check in &checks {
        let run = |script: &str| {
            host.command(["timeout", LIMIT, "sh", "-c", script])
                .env("folder", CHECKS)
                .env("check", &check.name)
                .env("plain", &plain)
                .env("base", &check.base)
                .env("next", &check.next)
                .run()
        };
        let output = run(RUN)?;
        if output.code != 0 {
            failed.push(format!("{}: {}{}", check.name, output.stdout, output.stderr));
        }
        if run(BACK)?.code != 0 {
            // The check left more than can be reset; a boot removes it.
            host.halt()?;
            host.boot()?;
            host.wait_until_up()?;
            run(BACK)?.success().with_context(|| format!("after {}", check.name))?;
        }
    }
    if !failed.is_empty() {
        bail!("{} of {} checks failed\n{}", failed.len(), checks.len(), failed.join("\n"));
    }
    println!("{} checks", checks.len());
    Ok(())
}

/// Builds the two systems of every check together, and copies them to the host.
fn build(lab: &Lab, host: &Host) -> Result<Vec<Check>> {
    let flake = lab.folder().join("checks");
    Fleet::of("plain", Generation::new("frame1", 1)).write_here(&flake)?;
    for name in names()? {
        let text = fs::read_to_string(folder().join("checks").join(&name))?;
        for (kind, number) in [("base", 1), ("generation", 2)] {
            let machine = json!({ "generation": generation(&text, kind, number)
                .with_context(|| format!("systems/checks/{name}"))? });
            fs::write(flake.join(format!("machines/{name}-{kind}.json")), machine.to_string())?;
        }
    }
    let nix = Nix::new(&flake)?;
    let script = "nix eval --json path:.#nixosConfigurations \
                  --apply 'builtins.mapAttrs (_: m: m.config.system.build.toplevel.outPath)'; \
                  nix build --no-link 'path:.#all'";
    let output = nix.command(["sh", "-euc", script])?.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let systems: BTreeMap<String, String> = serde_json::from_slice(&output.stdout)?;
    let all: Vec<&str> = systems.values().map(String::as_str).collect();
    systems::closure(lab, host, &all)?;
    let system = |name: &str, kind: &str| {
        systems.get(&format!("{name}-{kind}")).cloned().context("a system was not built")
    };
    let check = |name: String| {
        let (base, next) = (system(&name, "base")?, system(&name, "generation")?);
        Ok(Check { name, base, next })
    };
    names()?.into_iter().map(check).collect()
}

/// The generation after `#KIND ` in a check's text.
fn generation(text: &str, kind: &str, number: u32) -> Result<Value> {
    let mark = format!("#{kind} ");
    let own = text.lines().find_map(|line| line.strip_prefix(&mark)).unwrap_or("{}");
    let mut all = json!({ "hostName": "frame1", "number": number, "ballastMib": 0 });
    let Value::Object(own) = serde_json::from_str(own)? else { bail!("{mark} is no object") };
    all.as_object_mut().context("an object")?.extend(own);
    Ok(all)
}
