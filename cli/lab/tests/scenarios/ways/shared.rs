//! An operator's computer with another user, who is active in every folder that both can write to.

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::programs::DEPLOY;
use deploy_lab::hosts::{ASKADMIN_PASSWORD, Host, Lab, Running, wait};
use deploy_lab::systems::{FOLDER, Fleet, Generation};

use super::end_on_terminal;
use super::login::is_in_no_file;
use crate::harness::Scenario;
use crate::hostile::as_nobody;
use crate::scene::Scene;

pub const ALL: &[Scenario] =
    &[Scenario::new("another-user-at-work-in-tmp-gets-at-nothing-of-a-deploy", another_user)];

const PROGRAM: &str = include_str!("another-user.pl");

/// Folders in which `deploy` could work and must not: a missing one, one of the other user, and a
/// world-writable one. And folders in which `deploy` could keep something: below a folder that the
/// other user created first, below one in which that user can rename, and in a world-writable
/// `~/.cache`.
const PLACES: [&str; 4] = [
    "XDG_RUNTIME_DIR=/run/none XDG_CACHE_HOME=/var/cache/shared",
    "XDG_RUNTIME_DIR=/run/theirs XDG_CACHE_HOME=/var/cache/open",
    "XDG_RUNTIME_DIR=/run/open XDG_CACHE_HOME=/var/cache/open",
    "XDG_RUNTIME_DIR=/run/none",
];

/// Sets umask 000 and lets the other user act in these folders and in /tmp while deploys run that
/// pass a password to Nix's ssh.
fn another_user(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let mac = &scene.mac;
    mac.sh("mkdir -m 777 /var/cache/shared /var/cache/open /run/open
            mkdir -m 700 /run/theirs; chown 65534 /run/theirs
            chmod 711 /root; rm -rf /root/.cache; mkdir -m 1777 /root/.cache")?;
    let planted = as_nobody(mac, &["mkdir", "-p", "/var/cache/shared/deploy/evaluations"]).run()?;
    ensure!(planted.code == 0, "the other user could not make a folder: {}", planted.stderr);
    let mut other = as_nobody(mac, &["perl", "-e", PROGRAM]).spawn()?;
    wait::until("the other user is at work", wait::PATIENCE, || {
        Ok(other.stdout()?.contains("at work"))
    })?;
    for (at, places) in PLACES.into_iter().enumerate() {
        let number = u32::try_from(at)? + 2;
        let node = Fleet::of("frame1", Generation::new("frame1", number));
        scene.has(node.node("frame1", "sshUser", "askadmin").node(
            "frame1",
            "interactiveSudo",
            true,
        ))?;
        let deploy = format!("umask 000; export {places}; cd {FOLDER}; exec {DEPLOY} frame1");
        let mut terminal = mac.command(["sh", "-c", &deploy]).on_terminal()?;
        terminal.wait_for("sudo password on frame1")?;
        terminal.types(&format!("{ASKADMIN_PASSWORD}\n"))?;
        end_on_terminal(terminal)?
            .ends(0, &["frame1: committed"])
            .with_context(|| format!("with {places}"))?;
        let seen = seen(&other)?;
        ensure!(seen > at, "the other user has seen {seen} folders in /tmp, with {places}");
    }
    ensure!(other.is_running()?, "the other user was not at work: {}", other.stderr()?);
    let said = other.stdout()?;
    let won: Vec<&str> = said.lines().filter(|line| line.starts_with("won: ")).collect();
    ensure!(won.is_empty(), "another user got at what is the operator's: {won:?}");
    // Folders of the other user are neither used nor written to.
    let kept = mac.sh("find /var/cache/shared /var/cache/open -user 65534 -type d \
                       -exec find {} -type f -user 0 ';'")?;
    ensure!(kept.is_empty(), "kept in another user's folder: {kept}");
    let kept = mac.sh("ls /root/.cache/deploy/evaluations")?;
    ensure!(!kept.is_empty(), "nothing is kept in ~/.cache");
    is_in_no_file(mac)?;
    other.kill()?;
    left_open(mac)
}

/// Prepares `~/.cache/deploy` as an older umask left it, with the other user's folder in the place
/// of the evaluation cache. `deploy` must restrict the former, and neither use nor write to the
/// latter.
fn left_open(mac: &Host) -> Result<()> {
    mac.sh("chmod 777 /root/.cache/deploy")?;
    let swap = "cd /root/.cache/deploy && mv evaluations ours && mkdir -m 777 evaluations";
    let swapped = as_nobody(mac, &["sh", "-c", swap]).run()?;
    ensure!(swapped.code == 0, "the other user could not swap the folder: {}", swapped.stderr);
    mac.sh(&format!("umask 000; cd {FOLDER}; exec {DEPLOY} build frame1"))?;
    let mode = mac.sh("stat -c %a /root/.cache/deploy")?;
    ensure!(mode == "700", "~/.cache/deploy has mode {mode}");
    let kept = mac.sh("ls -A /root/.cache/deploy/evaluations")?;
    ensure!(kept.is_empty(), "kept in another user's folder: {kept}");
    Ok(())
}

/// The folders of deploys that the other user found in /tmp.
fn seen(other: &Running) -> Result<usize> {
    Ok(other.stdout()?.lines().filter(|line| line.starts_with("saw: /tmp/deploy-")).count())
}
