//! Power cuts during a push. Nix's database may be on the disk before the files that it lists as
//! valid.

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::relay::{Direction, Relay, RoadSpec, Traffic};
use deploy_lab::hosts::{Host, Lab, wait};
use deploy_lab::systems::{Fleet, Generation, Image};

use super::hold::{Hold, Place};
use crate::harness::Scenario;
use crate::scene::{ANSWERS, Scene};
use crate::ways::narrow::Narrow;

pub const ALL: &[Scenario] = &[
    Scenario::new(
        "a-power-cut-during-the-push-leaves-nothing-that-the-next-deploy-trusts-wrongly",
        by_root,
    ),
    Scenario::new(
        "a-power-cut-during-a-push-to-a-machine-with-an-agent-leaves-nothing-trusted-wrongly",
        by_root_again,
    ),
    Scenario::new(
        "a-power-cut-during-a-push-through-the-agent-leaves-nothing-trusted-wrongly",
        through_the_agent,
    ),
    Scenario::new("a-power-cut-after-the-push-leaves-the-store-whole", after),
];

/// Lists the paths that Nix lists as valid, and those whose contents differ from their
/// registration.
const VALID: &str = "nix --extra-experimental-features nix-command path-info --all | sort";
pub const DAMAGED: &str =
    "nix-store --verify --check-contents 2>&1 | grep -c \"^path '.*modified\" || :";

/// Syncs Nix's database but not the files that it lists as valid. The kernel may write files in any
/// order.
pub fn sync_database(machine: &Host) -> Result<()> {
    machine.sh("cd /nix/var/nix/db; sync db.sqlite db.sqlite-wal .").map(drop)
}

fn by_root(lab: &mut Lab) -> Result<()> {
    cut(&Scene::new(lab)?, "root", |number| Generation::new("frame1", number))
}

/// The agent that carries the next push is the one that finds what the power cut damaged.
fn by_root_again(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    scene.wants(Generation::new("frame1", 4))?;
    scene.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    cut(&scene, "root", |number| Generation::new("frame1", number))
}

fn through_the_agent(lab: &mut Lab) -> Result<()> {
    let narrow = Narrow::new(lab)?;
    cut(&narrow.scene, "deploy", |number| narrow.system(number + 1))
}

/// Pushes two systems, 2 and 3, as `user`.
fn cut(scene: &Scene, user: &str, system: impl Fn(u32) -> Generation) -> Result<()> {
    let machine = &scene.frame1;
    let road = RoadSpec { one_way: Duration::ZERO, mbit_per_second: Some(40) };
    let relay = Relay::start(machine, road)?;
    let fleet = |number| {
        // Three paths that take a while. When two have arrived, one is still on its way.
        let image = || Image::new(&format!("6.12.{number}"), 3072);
        let system = system(number).ballast(8).kernel(image()).initrd(image());
        let fleet = Fleet::of("frame1", system);
        fleet.node("frame1", "hostname", "frame1-far").node("frame1", "sshUser", user)
    };
    machine.sh(&format!("{VALID} > /root/before; sync -f /nix/store"))?;
    scene.has(fleet(2))?;
    let mut deploy = scene.begin("frame1")?;
    let new = format!("{VALID} | comm -13 /root/before -");
    wait::until("paths of the push are valid", Duration::from_secs(120), || {
        ensure!(deploy.is_running()?, "{}{}", deploy.stdout()?, deploy.stderr()?);
        Ok(machine.sh(&new)?.lines().count() >= 2)
    })?;
    relay.set(Direction::ToHost, Traffic::Held);
    sync_database(machine)?;
    let pushed = machine.sh(&new)?;
    machine.power_cut()?;
    deploy.kill()?;
    relay.set(Direction::ToHost, Traffic::Passes);
    machine.boot()?;
    machine.wait_for_ssh(ANSWERS)?;
    let damaged = machine.sh(DAMAGED)?;
    println!("{damaged} are damaged of these:\n{pushed}");
    ensure!(damaged != "0", "the power cut left nothing damaged of {pushed}");

    // Another system. The paths that only the first one needs must not stay either.
    scene.has(fleet(3))?;
    let said = scene.deploy("frame1")?;
    said.ends(0, &["frame1: committed"])?;
    let wanted = scene.wanted()?;
    let trusted = machine.sh(DAMAGED)?;
    ensure!(trusted == "0", "{trusted} damaged paths are trusted still:\n{}", said.text);
    said.ends(0, &[&format!("deleted now: {damaged} store paths")])?;
    scene.has(fleet(2))?;
    let said = scene.deploy("frame1")?;
    said.ends(0, &["frame1: committed"])?;
    ensure!(!said.text.contains("damaged"), "{}", said.text);
    ensure!(scene.wanted()? != wanted, "nothing else was deployed");
    let marks = machine.sh("ls /nix/var/deploy-agent | grep push || :")?;
    ensure!(marks.is_empty(), "marks are left: {marks}");
    scene.ends_on(&scene.wanted()?)
}

/// The mark is gone, and the agent has not synced anything yet.
fn after(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let machine = &scene.frame1;
    scene.wants(Generation::new("frame1", 2).ballast(8))?;
    let hold = Hold::at(machine, Place::PreSwitchCheck)?;
    let mut deploy = scene.begin("frame1")?;
    drop(hold.reached()?);
    sync_database(machine)?;
    machine.power_cut()?;
    deploy.kill()?;
    machine.boot()?;
    machine.wait_for_ssh(ANSWERS)?;
    let damaged = machine.sh(DAMAGED)?;
    ensure!(damaged == "0", "{damaged} paths that Nix calls valid are damaged");
    scene.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    scene.ends_on(&scene.wanted()?)
}
