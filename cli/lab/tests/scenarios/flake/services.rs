//! This repository's services on a real NixOS system. Caddy, VictoriaMetrics, the node exporter,
//! restic and sshd are Debian's programs; everything else comes from the modules of this repository
//! and of NixOS.

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::{Lab, Places, wait};
use deploy_lab::systems::{Module, RealFleet, SERVICES};

use super::{closed, named_checks, passed_checks};
use crate::harness::Scenario;
use crate::scene::{Scene, end};

pub const ALL: &[Scenario] = &[
    Scenario::new("real-services-come-with-a-deploy-and-pass-their-own-checks", come)
        .with_programs(Places::Services)
        .unless(|| SERVICES.missing()),
    Scenario::new("a-broken-caddyfile-is-rolled-back", caddyfile)
        .with_programs(Places::Services)
        .unless(|| SERVICES.missing()),
    Scenario::new("an-exporter-that-stops-is-rolled-back", exporter)
        .with_programs(Places::Services)
        .unless(|| SERVICES.missing()),
];

/// The limit until a deploy has switched.
const SWITCHES: Duration = Duration::from_secs(300);

fn come(lab: &mut Lab) -> Result<()> {
    let scene = Scene::with_services(lab)?;
    RealFleet::of("frame1", Module::new(2)).write(&scene.mac)?;
    scene.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    let gone = scene.frame1.command(["systemctl", "is-active", "caddy.service"]).run()?;
    ensure!(gone.code != 0, "Caddy still runs");

    let keys = [closed::builder(&scene.mac)?, closed::deployer(&scene.mac)?];
    let module = keys.iter().fold(Module::new(3), |module, line| module.line(line));
    RealFleet::with_services(module).write(&scene.mac)?;
    let said = scene.deploy("frame1 --json")?;
    said.ends(0, &[])?;
    let checks = scene.mac.sh("nix eval --json /root/fleet#deploy.nodes.frame1.checks")?;
    let (passed, named) = (passed_checks(&said.text), named_checks(&checks)?);
    ensure!(passed == named, "of {named:?} only these passed: {passed:?}");
    ensure!(named.len() > 10, "only {} checks", named.len());
    closed::look(&scene)?;
    scene.ends_on(&scene.wanted()?)
}

fn caddyfile(lab: &mut Lab) -> Result<()> {
    let scene = Scene::with_services(lab)?;
    let before = scene.runs()?;
    let broken = "services.caddy.extraConfig = \"broken.local {\\n  no_such_directive\\n}\\n\";";
    RealFleet::with_services(Module::new(2).line(broken)).write(&scene.mac)?;
    scene
        .deploy("frame1")?
        .ends(3, &["frame1 was rolled back", "caddy.service: its reload failed"])?;
    scene.ends_on(&before)
}

fn exporter(lab: &mut Lab) -> Result<()> {
    let scene = Scene::with_services(lab)?;
    let before = scene.runs()?;
    // A unit that the deploy touches is watched for ten seconds.
    let touched = "systemd.services.notes.environment.TOUCHED = \"1\";";
    RealFleet::with_services(Module::new(2).line(touched)).write(&scene.mac)?;
    let deploy = scene.begin("frame1")?;
    // Wait for the end of the switch, which would start the unit again.
    wait::until("frame1 is switched", SWITCHES, || {
        Ok(deploy.stdout()?.contains("frame1: checking"))
    })?;
    scene.frame1.sh("systemctl stop prometheus-node-exporter.service")?;
    let said = end(deploy)?;
    said.ends(3, &["frame1 was rolled back", "check node-exporter."])?;
    scene.frame1.sh("systemctl is-active prometheus-node-exporter.service")?;
    scene.ends_on(&before)
}
