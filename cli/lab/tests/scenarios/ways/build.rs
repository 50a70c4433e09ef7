//! The places where a system can be built.

use anyhow::{Result, ensure};
use deploy_lab::hosts::relay::{Direction, Relay, RoadSpec};
use deploy_lab::hosts::{Host, HostSpec, Lab, access};
use deploy_lab::systems::{Fleet, Generation};
use std::time::Duration;

use super::{flake_that_builds, runs_generation, second, write_flake};
use crate::harness::Scenario;
use crate::scene::{ANSWERS, Scene};

pub const ALL: &[Scenario] = &[
    Scenario::new("a-builder-builds-what-the-operator-s-machine-cannot", builder),
    Scenario::new(
        "what-a-builder-built-goes-to-the-machine-and-is-not-stored-here",
        builder_to_machine,
    ),
    Scenario::new("what-is-built-on-the-machine-never-travels", on_target),
    Scenario::new("a-builder-that-is-the-machine-keeps-what-it-builds", builder_is_target),
];

/// A script that writes the name of its builder to the unit file.
const MADE_HERE: &str =
    r"printf '[Service]\nExecStart=/bin/true\n# made on %s for %s\n' $(uname -n) $number > $out";

pub fn builder_host(lab: &mut Lab, mac: &Host) -> Result<Host> {
    let builder = lab.new_host(HostSpec::named("builder1")?)?;
    builder.boot()?;
    builder.wait_until_up()?;
    builder.sh("echo extra-platforms = aarch64-linux >> /etc/nix/nix.conf")?;
    access::connect(mac, &builder)?;
    builder.wait_for_ssh(ANSWERS)?;
    Ok(builder)
}

fn builder(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let _builder = builder_host(lab, &scene.mac)?;
    let wants = |number, place: &str| -> Result<()> {
        let generation = Generation::new("frame1", number);
        let place = serde_json::json!({ "where": place });
        scene.has(Fleet::of("frame1", generation).node("frame1", "build", place))?;
        // frame1 is x86_64; only an aarch64 machine can build this unit.
        write_flake(&scene.mac, &flake_that_builds("firmware.service", "aarch64-linux", MADE_HERE))
    };
    let made_on = |number: u32| -> Result<()> {
        runs_generation(&scene.frame1, number)?;
        let unit = scene.frame1.sh("cat /etc/systemd/system/firmware.service")?;
        ensure!(unit.contains(&format!("# made on builder1 for {number}")), "{unit}");
        Ok(())
    };
    wants(2, "local")?;
    let without = scene.deploy("frame1")?;
    without
        .ends(1, &["aarch64-linux", "nothing was changed", "--builders", "--build-on target"])?;
    ensure!(without.text.contains("extra-platforms"), "the third way out: {}", without.text);
    runs_generation(&scene.frame1, 1)?;

    scene.deploy("frame1 -- --builders 'ssh-ng://root@builder1 aarch64-linux'")?.ends(0, &[])?;
    made_on(2)?;
    wants(3, "local")?;
    scene.mac.write("/etc/nix/machines", "ssh-ng://root@builder1 aarch64-linux\n", 0o644)?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    made_on(3)?;
    scene.mac.sh("rm /etc/nix/machines")?;
    wants(4, "root@builder1")?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    made_on(4)?;
    wants(5, "local")?;
    scene.deploy("frame1 --build-on root@builder1")?.ends(0, &["committed"])?;
    made_on(5)
}

/// The first deploy brings the agent, and the second finds it there. With ssh's own compression the
/// agent carries nothing, and the closure comes here first.
fn builder_to_machine(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let builder = builder_host(lab, &scene.mac)?;
    for (number, compression, is_here) in [(2, "no", false), (3, "no", false), (4, "yes", true)] {
        scene.mac.sh(&format!("printf 'Compression {compression}\\n' > /root/.ssh/config"))?;
        let generation = Generation::new("frame1", number).ballast(1);
        scene.has(Fleet::of("frame1", generation))?;
        let wanted = scene.wanted()?;
        // This frame1's sshd does not read the agent's keys.
        let why = "goes through this computer: its sshd does not read /run/deploy-agent-keys/%u";
        scene.deploy("frame1 --build-on root@builder1")?.ends(0, &[why, "committed"])?;
        runs_generation(&scene.frame1, number)?;
        builder.sh(&format!("test -e {wanted}"))?;
        let found = scene.mac.sh(&format!("test -e {wanted} && echo here || echo not"))?;
        ensure!((found == "here") == is_here, "{number}: {found} on the operator's computer");
    }
    // A builder cannot log in to the machine, and nothing of the operator's is lent to it.
    builder.sh("! ssh -o BatchMode=yes -o StrictHostKeyChecking=no root@frame1 true")?;
    let wanted = scene.wanted()?;
    scene.ends_on(&wanted)
}

/// The size of a file in each system, in MiB.
const BALLAST: u32 = 16;

/// The limit of bytes that may come back, which is enough for the protocol itself.
const WORDS: u64 = 1 << 20;

fn road(scene: &Scene) -> Result<Relay> {
    let relay =
        Relay::start(&scene.frame1, RoadSpec { one_way: Duration::ZERO, mbit_per_second: None })?;
    Ok(relay)
}

fn travelled_nothing(scene: &Scene, relay: &Relay, before: u64, wanted: &str) -> Result<()> {
    let back = relay.bytes(Direction::FromHost) - before;
    ensure!(back < WORDS, "{back} bytes came back from frame1");
    scene.mac.sh(&format!("! test -e {wanted}"))?;
    let runs = scene.frame1.sh("readlink /run/current-system")?;
    ensure!(runs == wanted, "frame1 runs {runs}, not {wanted}");
    Ok(())
}

fn on_target(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let relay = road(&scene)?;
    let fleet = |number| {
        Fleet::of("frame1", Generation::new("frame1", number).ballast(BALLAST)).node(
            "frame1",
            "hostname",
            "frame1-far",
        )
    };
    for (number, user, args) in [
        (2, "root", "--build-on target"),
        (3, "admin", "--remote-build"),
        (4, "admin", ""),
        (5, "root", ""),
    ] {
        let fleet = fleet(number).node("frame1", "sshUser", user);
        scene.has(match number {
            4 => fleet.node("frame1", "remoteBuild", true),
            5 => fleet.node("frame1", "build", serde_json::json!({ "where": "target" })),
            _ => fleet,
        })?;
        let wanted = scene.wanted()?;
        let before = relay.bytes(Direction::FromHost);
        scene.deploy(&format!("frame1 {args}"))?.ends(0, &["committed"])?;
        travelled_nothing(&scene, &relay, before, &wanted)?;
    }
    // The control: what is built here stays here.
    scene.has(fleet(6))?;
    let wanted = scene.wanted()?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    scene.mac.sh(&format!("test -e {wanted}"))?;
    scene.ends_on(&wanted)
}

/// The operator's computer builds nothing itself, and frame1 is its only builder.
fn builder_is_target(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let relay = road(&scene)?;
    let fleet = |generation: Generation| {
        Fleet::of("frame1", generation.ballast(BALLAST)).node("frame1", "hostname", "frame1-far")
    };
    scene.mac.sh("echo max-jobs = 0 >> /etc/nix/nix.conf")?;
    scene.mac.write("/etc/nix/machines", "ssh-ng://root@frame1-far x86_64-linux\n", 0o644)?;
    scene.has(fleet(second()))?;
    let wanted = scene.wanted()?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    travelled_nothing(&scene, &relay, 0, &wanted)?;
    scene.mac.sh("rm /etc/nix/machines")?;
    scene.has(fleet(Generation::new("frame1", 3)))?;
    let wanted = scene.wanted()?;
    let before = relay.bytes(Direction::FromHost);
    let args = "frame1 -- --builders 'ssh-ng://root@frame1-far x86_64-linux'";
    scene.deploy(args)?.ends(0, &["committed"])?;
    travelled_nothing(&scene, &relay, before, &wanted)?;
    scene.has(fleet(Generation::new("frame1", 4)))?;
    let wanted = scene.wanted()?;
    let before = relay.bytes(Direction::FromHost);
    scene.deploy("frame1 --build-on root@frame1-far")?.ends(0, &["committed"])?;
    travelled_nothing(&scene, &relay, before, &wanted)?;
    scene.ends_on(&wanted)
}
