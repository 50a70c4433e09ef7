//! Worlds in which `deploy` cannot work, and the message that says so.

use anyhow::Result;
use deploy_lab::hosts::programs::DEPLOY;
use deploy_lab::hosts::{HostSpec, Lab, Places};
use deploy_lab::systems::{BASELINE, FOLDER};

use crate::harness::Scenario;
use crate::scene::{Said, Scene};
use crate::ways::{runs_generation, second};

pub const ALL: &[Scenario] =
    &[Scenario::new("a-nix-that-is-too-old-is-named-with-its-version", nix)
        .with_programs(Places::OtherNix)];

/// The Nix of Debian bookworm, which is the oldest in Debian.
fn nix(lab: &mut Lab) -> Result<()> {
    let mac = HostSpec::named("mac")?.with_programs_in(Places::OtherNix);
    let mac = lab.prepared_as(&BASELINE, "mac", mac)?;
    let scene = Scene::switched_on(mac, lab.prepared(&BASELINE, "frame1")?)?;
    scene.wants(second())?;
    let line = format!("PATH=/opt/nix-bookworm/usr/bin:$PATH; cd {FOLDER}; {DEPLOY} frame1");
    let said = Said::of(&scene.mac.command(["sh", "-c", &line]).run()?);
    said.ends(1, &["2.8.0 is too old", "2.19", "docs/nix-versions.md"])?;
    runs_generation(&scene.frame1, 1)
}
