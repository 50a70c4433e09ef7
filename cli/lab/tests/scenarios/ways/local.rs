//! `deploy` on the machine that it deploys to.

use anyhow::{Result, ensure};
use deploy_lab::hosts::Lab;
use deploy_lab::hosts::programs::{self, DEPLOY};
use deploy_lab::systems::{FOLDER, Fleet, Generation};
use serde_json::json;

use super::{end_on_terminal, logins, on_terminal, runs_generation, second};
use crate::faults::cut_push::{DAMAGED, sync_database};
use crate::faults::hold::{Hold, Place, check};
use crate::harness::Scenario;
use crate::scene::{ANSWERS, Said, Scene, line};

pub const ALL: &[Scenario] = &[
    Scenario::new("a-machine-deploys-to-itself-without-ssh", local),
    Scenario::new("ctrl-c-on-the-machine-itself-goes-back-at-once", interrupted),
    Scenario::new("a-machine-deploys-to-itself-over-ssh", to_itself),
    Scenario::new("a-power-cut-while-a-machine-deploys-to-itself-leaves-its-store-whole", cut),
];

fn here(scene: &Scene, user: &str, args: &str) -> Result<Said> {
    let script = format!("cd {FOLDER} && exec {DEPLOY} {args}");
    let words = ["runuser", "-u", user, "--", "sh", "-c", &script];
    Ok(Said::of(&scene.frame1.command(words).run()?))
}

fn local(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    programs::install(&scene.frame1)?;
    Fleet::of("frame1", second()).write(&scene.frame1)?;
    here(&scene, "root", "frame1 --local")?.ends(0, &["committed", "no login confirmed it"])?;
    here(&scene, "root", "frame1 --local")?.ends(0, &["already up to date"])?;
    ensure!(logins(&scene.frame1)? == 0, "somebody logged in");
    let runs = scene.runs()?;
    scene.frame1.power_cut_and_boot()?;
    scene.frame1.wait_for_ssh(ANSWERS)?;
    ensure!(scene.runs()? == runs, "it boots another system");
    runs_generation(&scene.frame1, 2)?;
    // As a user with sudo, with a folder of their own. On Debian Nix is restricted to a group, on
    // NixOS it is not.
    scene.frame1.sh("usermod --append --groups nix-users admin")?;
    Fleet::of("frame1", Generation::new("frame1", 3)).write(&scene.frame1)?;
    let script = format!(
        "cp -r {FOLDER} /home/admin/fleet; chown -R admin: /home/admin/fleet; \
         cd /home/admin/fleet; exec runuser -u admin -- env HOME=/home/admin \
         {DEPLOY} frame1 --local"
    );
    let said = Said::of(&scene.frame1.command(["sh", "-euc", &script]).run()?);
    said.ends(0, &["committed"])?;
    runs_generation(&scene.frame1, 3)
}

/// Ctrl-C reaches all processes of the terminal, and an agent may be killed. `deploy` does not ask
/// over SSH, because sshd need not run here.
fn interrupted(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let machine = &scene.frame1;
    let before = scene.runs()?;
    let logged_in = logins(machine)?;
    programs::install(machine)?;
    Fleet::of("frame1", second()).node("frame1", "checks", json!([check()])).write(machine)?;
    for (stop, code, parts) in [
        ("interrupt", 3, ["telling the machine to go back", "frame1 was rolled back"]),
        ("kill", 0, ["asking another agent what happened meanwhile", "frame1: committed"]),
    ] {
        let hold = Hold::at(machine, Place::Check)?;
        let mut terminal = on_terminal(machine, "frame1 --local")?;
        let held = hold.reached()?;
        match stop {
            "interrupt" => terminal.types("\x03")?,
            _ => machine.sh("pkill -KILL -f 'deploy-agent serve( --trusted)?$'").map(drop)?,
        }
        terminal.wait_for(parts[0])?;
        held.go()?;
        let said = end_on_terminal(terminal)?;
        said.ends(code, &parts)?;
        ensure!(!said.text.contains("the connection to the agent") || code == 0, "{}", said.text);
        if code == 3 {
            let runs = machine.sh("readlink /run/current-system")?;
            ensure!(runs == before, "it runs {runs}");
        }
    }
    ensure!(logins(machine)? == logged_in, "somebody logged in");
    runs_generation(machine, 2)
}

fn to_itself(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    programs::install(&scene.frame1)?;
    deploy_lab::hosts::access::connect(&scene.frame1, &scene.frame1)?;
    Fleet::of("frame1", second()).write(&scene.frame1)?;
    here(&scene, "root", "frame1")?.ends(0, &["committed"])?;
    ensure!(logins(&scene.frame1)? == 2, "{} logins", logins(&scene.frame1)?);
    here(&scene, "root", "frame1")?.ends(0, &["already up to date"])?;
    let runs = scene.runs()?;
    ensure!(scene.boots()? == runs, "it boots another system");
    runs_generation(&scene.frame1, 2)
}

/// Nobody has synced what was built and added here.
fn cut(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let machine = &scene.frame1;
    let before = scene.runs()?;
    programs::install(machine)?;
    Fleet::of("frame1", second().ballast(8)).write(machine)?;
    machine.sync()?;
    // The switch itself syncs the store.
    let hold = Hold::at(machine, Place::Arm)?;
    let running = machine.command(["sh", "-c", &line("frame1 --local")]).spawn()?;
    drop(hold.reached()?);
    sync_database(machine)?;
    machine.power_cut_and_boot()?;
    drop(running);
    machine.wait_for_ssh(ANSWERS)?;
    ensure!(scene.runs()? == before, "it boots {}", scene.runs()?);
    let damaged = machine.sh(DAMAGED)?;
    ensure!(damaged == "0", "{damaged} paths that Nix calls valid are damaged");
    here(&scene, "root", "frame1 --local")?.ends(0, &["committed"])?;
    runs_generation(machine, 2)
}
