//! New systems with another address, port or key. `deploy` reports the right reason and believes
//! the flake's `confirm` settings.

use std::net::Ipv4Addr;

use anyhow::{Result, ensure};
use deploy_lab::hosts::{HostSpec, Lab, access};
use deploy_lab::systems::{BASELINE, Fault, Fleet, Generation};
use serde_json::json;

use crate::harness::Scenario;
use crate::scene::Scene;

pub const ALL: &[Scenario] = &[
    Scenario::new("a-system-at-another-address-needs-confirm-hostname", address),
    Scenario::new("a-system-with-another-host-key-needs-confirm-host-key", key),
    Scenario::new("a-system-without-sudo-is-rolled-back-and-sudo-is-named", sudo),
];

const ALSO: Ipv4Addr = Ipv4Addr::new(192, 168, 7, 7);

/// The running system, asked on the machine itself, because its old address may be gone.
fn runs(scene: &Scene) -> Result<String> {
    scene.frame1.sh("readlink /run/current-system")
}

/// Checks that the machine runs and boots `system`.
fn is_on(scene: &Scene, system: &str) -> Result<()> {
    ensure!(runs(scene)? == system, "frame1 runs {}", runs(scene)?);
    scene.frame1.power_cut_and_boot()?;
    ensure!(runs(scene)? == system, "frame1 boots {}", runs(scene)?);
    Ok(())
}

fn address(lab: &mut Lab) -> Result<()> {
    let mac = lab.prepared(&BASELINE, "mac")?;
    let spec = HostSpec::named("frame1")?.also_at(ALSO);
    let frame1 = lab.prepared_as(&BASELINE, "frame1", spec)?;
    let scene = Scene::switched_on(mac, frame1)?;
    access::know(&scene.mac, &scene.frame1)?;
    let before = scene.runs()?;
    let moved = || {
        let listen = format!("ListenAddress {ALSO}");
        Fleet::of("frame1", Generation::new("frame1", 2).sshd_config(&listen))
    };

    scene.has(moved().node("frame1", "confirmTimeout", 5))?;
    let said = scene.deploy("frame1")?;
    said.ends(3, &["frame1 was rolled back", "no new SSH login confirmed within 5 s"])?;
    said.ends(3, &["cause: no new login at root@frame1", "Connection refused"])?;
    scene.ends_on(&before)?;

    let confirm = json!({ "hostname": ALSO.to_string(), "timeout": 30 });
    scene.has(moved().node("frame1", "confirm", confirm))?;
    scene.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    is_on(&scene, &scene.wanted()?)
}

fn key(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let before = scene.runs()?;
    let file = "/etc/ssh/another";
    scene.frame1.sh(&format!("ssh-keygen -q -t ed25519 -N '' -f {file}; sync -f {file}"))?;
    let changed = || {
        Fleet::of("frame1", Generation::new("frame1", 2).sshd_config(&format!("HostKey {file}")))
    };

    scene.has(changed().node("frame1", "confirmTimeout", 5))?;
    let said = scene.deploy("frame1")?;
    said.ends(3, &["frame1 was rolled back", "no new SSH login confirmed within 5 s"])?;
    said.ends(3, &["cause: no new login at root@frame1: its host key is not the one"])?;
    scene.ends_on(&before)?;

    let public = scene.frame1.read(&format!("{file}.pub"))?;
    let words: Vec<&str> = public.split_whitespace().take(2).collect();
    let confirm = json!({ "hostKey": words.join(" "), "timeout": 30 });
    scene.has(changed().node("frame1", "confirm", confirm))?;
    scene.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    is_on(&scene, &scene.wanted()?)
}

fn sudo(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let before = scene.runs()?;
    let by_admin = |generation| {
        let fleet = Fleet::of("frame1", generation).node("frame1", "sshUser", "admin");
        scene.has(fleet.node("frame1", "confirmTimeout", 5))
    };
    by_admin(Generation::new("frame1", 2).with(&Fault::NoSudo))?;
    let said = scene.deploy("frame1")?;
    said.ends(3, &["frame1 was rolled back", "no new SSH login confirmed within 5 s"])?;
    said.ends(
        3,
        &["admin@frame1 can be logged in to, but may not run the agent any more", "sudo"],
    )?;
    scene.ends_on(&before)?;
    by_admin(Generation::new("frame1", 3))?;
    scene.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    scene.ends_on(&scene.wanted()?)
}
