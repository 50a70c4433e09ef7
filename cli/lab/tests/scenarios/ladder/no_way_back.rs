//! A service that must not go back. The system that started it stays.

use anyhow::{Result, ensure};
use deploy_lab::hosts::Lab;
use deploy_lab::systems::{Fault, Fleet, Generation, Unit};
use serde_json::json;

use crate::harness::Scenario;
use crate::scene::Scene;

pub const ALL: &[Scenario] =
    &[Scenario::new("a-service-that-must-not-go-back-keeps-the-new-system-and-says-so", stays)];

fn stays(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let before = scene.runs()?;
    let has = |number: u32, version: &str, fault: Option<&Fault>| {
        let start = "ExecStart=/run/current-system/sw/bin/sleep infinity";
        let photos = Unit::service(&format!("{start}\nEnvironment=VERSION={version}"));
        let generation = Generation::new("frame1", number).unit("photos.service", photos);
        let generation = fault.into_iter().fold(generation, |system, fault| system.with(fault));
        let rollback = json!({ "services": { "photos": "unsafe" } });
        scene.has(Fleet::of("frame1", generation).node("frame1", "rollback", rollback))
    };

    has(2, "1", Some(&Fault::FailingUnit))?;
    let nobody = scene.deploy("frame1")?;
    nobody
        .ends(1, &["photos must not go back once started", "say --yes", "nothing was changed"])?;
    ensure!(scene.runs()? == before, "it was switched although nobody agreed");

    let wanted = scene.wanted()?;
    let said = scene.deploy("frame1 --yes")?;
    said.ends(5, &["frame1 is stranded: the new system runs, but was not committed"])?;
    said.ends(5, &["broken.service", "photos.service has started under the new system"])?;
    said.ends(5, &["deploy rollback --to 1 goes back", &format!("it boots {before}")])?;
    ensure!(scene.runs()? == wanted, "frame1 runs {}", scene.runs()?);
    scene.frame1.sh("systemctl is-active photos.service")?;
    scene.deploy("status frame1")?.ends(1, &["stranded", "photos must not go back"])?;

    // A corrected system is deployed and kept.
    has(3, "1", None)?;
    scene.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    let kept = scene.wanted()?;

    // The service is not touched, so the rollback is allowed.
    has(4, "1", Some(&Fault::FailingUnit))?;
    scene.deploy("frame1")?.ends(3, &["frame1 was rolled back", "broken.service"])?;
    scene.ends_on(&kept)
}
