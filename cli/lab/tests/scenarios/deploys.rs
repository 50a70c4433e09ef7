//! The main job: `deploy frame1`.

use anyhow::{Result, ensure};
use deploy_lab::hosts::{Lab, Places};
use deploy_lab::systems::{Generation, Unit};

use crate::harness::Scenario;
use crate::scene::Scene;

pub const ALL: &[Scenario] = &[
    Scenario::new("plan-status-and-logs-tell-and-change-nothing", looking),
    Scenario::new("a-deploy-finds-nixos-s-programs-and-needs-no-others", nixos_places),
    Scenario::new("a-deploy-runs-and-boots-and-the-second-says-up-to-date", twice),
];

fn nixos_places(lab: &mut Lab) -> Result<()> {
    committed_then_up_to_date(&Scene::with_programs_in(Places::Nixos, lab)?)
}

fn twice(lab: &mut Lab) -> Result<()> {
    committed_then_up_to_date(&Scene::new(lab)?)
}

fn committed_then_up_to_date(scene: &Scene) -> Result<()> {
    scene.wants(Generation::new("frame1", 2))?;
    let wanted = scene.wanted()?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    ensure!(scene.frame1.sh("cat /etc/generation")? == "2", "generation 2 does not run");
    scene.deploy("frame1")?.ends(0, &["already up to date"])?;
    scene.ends_on(&wanted)
}

fn looking(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let before = scene.runs()?;
    let extra = Unit::service("ExecStart=/run/current-system/sw/bin/sleep infinity");
    scene.wants(Generation::new("frame1", 2).unit("extra.service", extra))?;
    scene.deploy("plan frame1")?.ends(0, &["to build: ", &format!("runs:   {before}")])?;
    scene.deploy("plan frame1 --build")?.ends(0, &["to send: ", "new units: extra.service"])?;
    scene.deploy("status frame1")?.ends(0, &["nothing yet; what runs is the baseline"])?;
    scene.deploy("logs frame1")?.ends(6, &["no deploy has run there"])?;
    ensure!(scene.runs()? == before, "looking changed what runs");
    let traces = scene.frame1.sh("ls -d /nix/var/deploy-agent 2> /dev/null || echo none")?;
    ensure!(traces == "none", "looking left {traces}");

    scene.deploy("frame1")?.ends(0, &["committed"])?;
    scene.deploy("plan frame1")?.ends(0, &["up to date"])?;
    scene.deploy("status frame1")?.ends(0, &["confirmed: /nix/store/", "committed"])?;
    scene.deploy("logs frame1")?.ends(0, &["committed"])
}
