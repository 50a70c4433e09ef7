//! `deploy rollback` takes its rules from the generation that it goes back to, not from the present
//! flake.

use anyhow::{Result, ensure};
use deploy_lab::hosts::Lab;
use deploy_lab::systems::{Fleet, Generation};
use serde_json::{Value, json};

use crate::harness::Scenario;
use crate::scene::Scene;

pub const ALL: &[Scenario] = &[Scenario::new(
    "a-rollback-is-decided-by-the-checks-and-secrets-of-its-generation",
    own_rules,
)];

/// The checks of a generation.
fn checks(number: u32) -> Value {
    let argv = ["grep", "-qx", &number.to_string(), "/etc/generation"];
    json!([
        { "name": "number", "service": "lab", "kind": { "type": "command", "argv": argv } },
        { "name": "well", "service": "lab",
          "kind": { "type": "command", "argv": ["test", "!", "-e", format!("/root/ill-{number}")] } },
    ])
}

fn manifest(number: u32) -> String {
    json!({ "version": 1, "checks": checks(number), "rollback": { "services": {} },
            "beforeActivate": [], "secrets": [] })
    .to_string()
}

/// A secret of the present flake that no key on the machine can decrypt.
fn lost() -> Value {
    json!({ "name": "lost", "file": "/nix/store/00000000000000000000000000000000-lost.age",
            "path": "/run/lost", "mode": "0400", "owner": "root", "group": "root",
            "identityPaths": ["/root/no-key"], "ageBin": "age" })
}

fn own_rules(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let one = scene.runs()?;
    let mut systems = vec![one];
    for number in 2..=3 {
        let etc = Generation::new("frame1", number);
        let etc = etc.etc("deploy-agent/manifest.json", &manifest(number));
        let fleet = Fleet::of("frame1", etc).node("frame1", "checks", checks(number));
        scene.has(fleet)?;
        systems.push(scene.wanted()?);
        scene.deploy("frame1")?.ends(0, &["committed"])?;
    }
    // Nothing of the present flake is true for an earlier generation.
    let etc = Generation::new("frame1", 3).etc("deploy-agent/manifest.json", &manifest(3));
    let fleet = Fleet::of("frame1", etc).node("frame1", "checks", checks(3));
    scene.has(fleet.node("frame1", "secrets", json!([lost()])))?;

    scene.frame1.sh("touch /root/ill-2")?;
    let said = scene.deploy("rollback frame1")?;
    said.ends(3, &["frame1 was rolled back", "well"])?;
    ensure!(scene.runs()? == systems[2], "it runs {}", scene.runs()?);
    scene.frame1.sh("rm /root/ill-2")?;
    let said = scene.deploy("rollback frame1")?;
    said.ends(0, &["committed"])?;
    ensure!(!said.text.contains("today's flake"), "{}", said.text);
    scene.ends_on(&systems[1])?;

    // A generation without a manifest.
    let refused = scene.deploy("rollback frame1 --to 1")?;
    refused.ends(1, &["has no manifest of its own", "today's flake", "secret lost"])?;
    scene.ends_on(&systems[1])
}
