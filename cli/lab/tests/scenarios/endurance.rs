//! Many deploys in a row. Nothing may accumulate.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::{Host, Lab};
use deploy_lab::systems::{Fleet, Generation};
use serde_json::json;

use crate::harness::Scenario;
use crate::scene::Scene;

pub const ALL: &[Scenario] =
    &[Scenario::new("a-thousand-changing-deploys-leave-nothing-behind", many).within(LIMIT)];

const DEPLOYS: u32 = 1000;
/// After this many deploys, everything that a repeated deploy keeps exists: 50 attempts are kept.
const SETTLED: u32 = DEPLOYS / 10;
const LIMIT: Duration = Duration::from_secs(4 * 3600);

/// The limit for the growth of process 1 after the first deploys, in KiB.
const MORE_MEMORY: i64 = 4096;

/// What could accumulate on the machine: a line `NAME NUMBER` for each kind.
const MACHINE: &str = r#"
count() { echo "$1 $(wc -l)"; }
ls /nix/var/nix/gcroots/deploy-agent | count roots
systemctl list-units --all --plain --no-legend --full 'deploy-*' | count units-of-attempts
systemctl list-units --all --plain --no-legend --full | grep -v '\.scope ' | count units
find /nix/var/deploy-agent | count records
find /run/deploy-agent /run/systemd/transient /run/nixos | count volatile-files
ls -d /run/deploy-* /tmp/* 2> /dev/null | count temporary-files
ps -e -o comm= | grep -v '^sshd' | count processes
echo "memory $(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' /proc/1/status)"
"#;

/// What could accumulate on the operator's computer.
const OPERATOR: &str = r#"
count() { echo "$1 $(wc -l)"; }
find /root/.cache/deploy | count cache
ls -A /tmp | count temporary-files
ps -e -o comm= | count processes
"#;

/// The number of each kind.
type Counts = BTreeMap<String, i64>;

fn counts(host: &Host, script: &str) -> Result<Counts> {
    let text = host.sh(script)?;
    text.lines()
        .map(|line| {
            let (name, number) = line.split_once(' ').context("no number")?;
            let number = number.trim().parse().with_context(|| line.to_owned())?;
            Ok((format!("{}: {name}", host.name()), number))
        })
        .collect()
}

fn seen(scene: &Scene) -> Result<Counts> {
    let mut all = counts(&scene.frame1, MACHINE)?;
    all.extend(counts(&scene.mac, OPERATOR)?);
    Ok(all)
}

fn many(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let mut settled = Counts::new();
    for number in 1..=DEPLOYS {
        // Two systems in turn, so that each deploy switches and the operator's store does not grow.
        let generation = Generation::new("frame1", 2 + number % 2);
        scene.has(Fleet::of("frame1", generation).node(
            "frame1",
            "units",
            json!({ "watch": 0 }),
        ))?;
        scene
            .deploy("frame1")?
            .ends(0, &["frame1: committed"])
            .with_context(|| format!("deploy {number}"))?;
        if number % 50 == 0 {
            // Without the garbage collection, which people run too, the loader's menu and its
            // builder's time grow.
            scene.frame1.sh("nix-collect-garbage --delete-old 2> /dev/null")?;
        }
        if number == SETTLED {
            settled = seen(&scene)?;
            println!("after {number}: {settled:#?}");
        }
    }
    let now = seen(&scene)?;
    println!("after {DEPLOYS}: {now:#?}");
    ensure!(now["frame1: roots"] == 1, "roots of ended attempts are left: {now:#?}");
    ensure!(now["frame1: units-of-attempts"] == 0, "units of attempts are left: {now:#?}");
    for (name, number) in &now {
        let before = settled.get(name).with_context(|| format!("{name} was not there"))?;
        let more = if name.ends_with("memory") { MORE_MEMORY } else { 2 };
        ensure!(*number <= before + more, "{name}: {before}, then {number}: {now:#?}");
    }
    scene.ends_on(&scene.wanted()?)
}
