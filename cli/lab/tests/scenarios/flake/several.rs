//! Two machines of one fleet. A service of one is behind the proxy of the other and in its metrics,
//! and no other host can reach it. Root can log in only where the flake asks for it.

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::programs::DEPLOY;
use deploy_lab::hosts::{Host, HostSpec, Lab, Places, access, wait};
use deploy_lab::systems::{FOLDER, HOMELAB, RealFleet, SERVICES};

use crate::harness::Scenario;
use crate::scene::{Said, Scene};

pub const ALL: &[Scenario] = &[Scenario::new(
    "services-of-one-machine-are-behind-the-proxy-and-in-the-metrics-of-another",
    reached,
)
.with_programs(Places::Services)
.unless(|| SERVICES.missing().or_else(|| HOMELAB.missing()))];

/// Two systems are built first.
const DEPLOYS: Duration = Duration::from_secs(300);

/// The exporters are scraped every 30 seconds.
const SCRAPED: Duration = Duration::from_secs(90);

fn reached(lab: &mut Lab) -> Result<()> {
    let mut host = |from: &str, name| {
        let spec = HostSpec::named(name)?.with_programs_in(Places::Services);
        lab.prepared_as(&SERVICES, from, spec)
    };
    let (mac, frame1, frame2) =
        (host("mac", "mac")?, host("frame1", "frame1")?, host("frame1", "frame2")?);
    let scene = Scene::switched_on(mac, frame1)?;
    frame2.boot()?;
    frame2.wait_until_up()?;
    access::know(&scene.mac, &frame2)?;

    RealFleet::several(2).write(&scene.mac)?;
    // The machine was a copy of frame1 and still has that name.
    deploy(&scene.mac, "frame2 --accept-name frame1")?.ends(0, &["frame2: committed"])?;
    deploy(&scene.mac, "frame1")?.ends(0, &["frame1: committed"])?;

    let site = "notes.local.kaifer.dev";
    let asked = format!("curl -sk --resolve {site}:443:10.77.0.11 https://{site}/");
    let said = scene.mac.sh(&asked)?;
    ensure!(said == "status 200", "frame2's service answered through frame1's proxy: {said}");
    measured(&scene.frame1)?;
    closed(&scene, &frame2)?;
    root_logins(&scene.mac)
}

fn deploy(operator: &Host, args: &str) -> Result<Said> {
    let line = format!("cd {FOLDER} && exec {DEPLOY} {args}");
    Ok(Said::of(&operator.command(["sh", "-c", &line]).spawn()?.wait(DEPLOYS)?))
}

/// The metrics on frame1 include the node exporters of both machines.
fn measured(frame1: &Host) -> Result<()> {
    let query = "curl -sf 'http://127.0.0.1:8428/api/v1/query?query=up' | \
                 jq -r '.data.result[] | \"\\(.metric.job) \\(.value[1])\"'";
    wait::until("the exporters of both are up", SCRAPED, || {
        let said = frame1.sh(query)?;
        Ok(["node-exporter 1", "frame2-node-exporter 1"]
            .iter()
            .all(|wanted| said.lines().any(|line| line == *wanted)))
    })
}

/// Other hosts cannot reach what frame2 serves to frame1, nor can frame1 reach what is local to
/// frame2.
fn closed(scene: &Scene, frame2: &Host) -> Result<()> {
    let reaches = |from: &Host, port: u16| -> Result<bool> {
        let asked = format!("curl -s --max-time 3 -o /dev/null http://10.77.0.12:{port}/");
        Ok(from.command(["sh", "-c", &asked]).run()?.code == 0)
    };
    for (from, port, reached) in [
        (&scene.frame1, 8000, true),
        (&scene.frame1, 9100, true),
        (&scene.frame1, 8001, false),
        (&scene.mac, 8000, false),
        (&scene.mac, 9100, false),
        (frame2, 8001, true),
    ] {
        let found = reaches(from, port)?;
        ensure!(found == reached, "{} reaches port {port} of frame2: {found}", from.name());
    }
    Ok(())
}

/// Root can log in where the machine is deployed as root, and nowhere else. Both machines have the
/// key.
fn root_logins(operator: &Host) -> Result<()> {
    for (login, let_in) in [("root@frame1", true), ("root@frame2", false), ("admin@frame2", true)] {
        let said = operator.command(["ssh", "-o", "BatchMode=yes", login, "true"]).run()?;
        ensure!((said.code == 0) == let_in, "{login} ended with {}: {}", said.code, said.stderr);
    }
    Ok(())
}
