//! What each mode of `deploy` leaves as the running system and as the boot default.

use anyhow::{Result, ensure};
use deploy_lab::hosts::Lab;
use deploy_lab::systems::Generation;

use crate::harness::Scenario;
use crate::scene::{ANSWERS, Scene};

pub const ALL: &[Scenario] = &[
    Scenario::new("boot-leaves-what-runs-and-boots-the-new-system", boot),
    Scenario::new("test-runs-the-new-system-and-boots-the-old-one", test),
    Scenario::new("push-and-dry-activate-switch-nothing", looks),
    Scenario::new("rollback-goes-to-the-generation-before-or-to-the-one-named", rollback),
];

fn generation(number: u32) -> Generation {
    Generation::new("frame1", number)
}

/// The system profile's generation number.
fn profile(scene: &Scene) -> Result<String> {
    scene.frame1.sh("readlink /nix/var/nix/profiles/system | tr -dc 0-9")
}

fn boot(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let one = scene.runs()?;
    scene.wants(generation(2))?;
    let two = scene.wanted()?;
    let said = scene.deploy("frame1 --boot")?;
    said.ends(
        0,
        &["boots generation 2 next; runs still: /nix", "nothing has tried that it boots"],
    )?;
    ensure!(!said.text.contains("runs, boots"), "it does not run:\n{}", said.text);
    ensure!(scene.runs()? == one, "--boot switched");
    ensure!(profile(&scene)? == "2", "the profile is at generation {}", profile(&scene)?);
    ensure!(scene.boots()? == two, "it does not boot what --boot set");
    scene.deploy("frame1")?.ends(0, &[])?;
    scene.ends_on(&two)
}

fn test(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let one = scene.runs()?;
    scene.wants(generation(2))?;
    let two = scene.wanted()?;
    let said = scene.deploy("frame1 --test")?;
    said.ends(0, &["runs it, confirmed; boots still: /nix"])?;
    ensure!(!said.text.contains("runs, boots"), "it does not boot:\n{}", said.text);
    ensure!(scene.runs()? == two, "--test did not switch");
    ensure!(profile(&scene)? == "1", "the profile is at generation {}", profile(&scene)?);
    ensure!(scene.boots()? == one, "--test changed what boots");
    // After a `--test`, a normal deploy still makes the system the boot default.
    scene.deploy("frame1 --test")?.ends(0, &[])?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    scene.ends_on(&two)
}

fn looks(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let one = scene.runs()?;
    scene.wants(generation(2))?;
    let two = scene.wanted()?;
    scene.deploy("push frame1")?.ends(0, &[&two, "nothing was switched"])?;
    scene.frame1.sh(&format!("nix-store --check-validity {two}"))?;
    scene.deploy("frame1 --dry-activate")?.ends(0, &["nothing was switched"])?;
    ensure!(profile(&scene)? == "1", "the profile is at generation {}", profile(&scene)?);
    scene.ends_on(&one)?;
    let built = scene.deploy("build frame1")?;
    built.ends(0, &[&two])
}

fn rollback(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let mut systems = vec![scene.runs()?];
    for number in 2..=3 {
        scene.wants(generation(number))?;
        systems.push(scene.wanted()?);
        scene.deploy("frame1")?.ends(0, &["committed"])?;
    }
    scene.deploy("rollback frame1")?.ends(0, &["committed"])?;
    scene.ends_on(&systems[1])?;
    ensure!(profile(&scene)? == "4", "the profile is at generation {}", profile(&scene)?);
    scene.deploy("rollback frame1")?.ends(0, &["committed"])?;
    ensure!(scene.runs()? == systems[2], "twice is not where it began: {}", scene.runs()?);
    scene.deploy("rollback frame1 --to 1")?.ends(0, &["committed"])?;
    scene.ends_on(&systems[0])?;
    scene
        .deploy("rollback frame1 --to 77")?
        .ends(1, &["no generation 77", "nothing was changed"])?;
    // Forward again by number, because no generation was deleted.
    scene.deploy("rollback frame1 --to 3")?.ends(0, &["committed"])?;
    scene.frame1.wait_for_ssh(ANSWERS)?;
    ensure!(scene.runs()? == systems[2], "it runs {}", scene.runs()?);
    Ok(())
}
