//! The login that begins while the flake is evaluated.

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::programs::DEPLOY;
use deploy_lab::hosts::{Host, Lab, Running, wait};
use deploy_lab::systems::{FOLDER, Fleet};

use super::{accepted, second};
use crate::harness::Scenario;
use crate::scene::{ANSWERS, Scene, end};

pub const ALL: &[Scenario] = &[Scenario::new(
    "a-login-that-begins-early-runs-nothing-on-a-machine-that-is-not-named-any-more",
    early,
)];

/// A `nix` whose evaluations wait for a file.
const WAITING_NIX: &str = "#!/bin/sh\n\
    case \"$*\" in *' eval '*) until [ -e /root/go ]; do sleep 0.1; done ;; esac\n\
    exec /usr/bin/nix \"$@\"\n";

/// What sshd starts in place of each command: it writes down what the command reads.
const LISTENER: &str = "#!/bin/bash\n\
    exec \"$SHELL\" -c \"$SSH_ORIGINAL_COMMAND\" \
    < <(exec tee /var/heard/\"$USER-$(cut -d' ' -f2 <<< \"$SSH_CONNECTION\")\")\n";

/// A scene whose frame1 runs generation 2 and writes down what logins send it.
fn listening(lab: &mut Lab) -> Result<Scene> {
    let scene = Scene::new(lab)?;
    scene.frame1.write("/usr/local/bin/listen", LISTENER, 0o755)?;
    scene.frame1.sh("mkdir -m 1777 /var/heard")?;
    scene.has(fleet())?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    scene.mac.write("/usr/local/bin/nix", WAITING_NIX, 0o755)?;
    Ok(scene)
}

fn fleet() -> Fleet {
    Fleet::of("frame1", second().sshd_config("ForceCommand /usr/local/bin/listen"))
}

/// Starts `deploy` with a Nix that waits.
fn begin(mac: &Host) -> Result<Running> {
    let script = format!("cd {FOLDER}; PATH=/usr/local/bin:$PATH exec {DEPLOY} frame1");
    mac.command(["sh", "-c", &script]).spawn()
}

/// The user and the port of the login that frame1 accepted after `before` others.
fn login_after(before: usize, frame1: &Host) -> Result<(String, String)> {
    wait::until("a login", ANSWERS, || Ok(accepted(frame1)?.len() > before))?;
    let lines = accepted(frame1)?;
    let words: Vec<&str> = lines[before].split_whitespace().collect();
    let after = |word| {
        let at = words.iter().position(|each| *each == word).context("a line of sshd's")?;
        Ok::<_, anyhow::Error>(words[at + 1].to_owned())
    };
    Ok((after("for")?, after("port")?))
}

/// How many bytes a login's commands read.
fn heard(frame1: &Host, user: &str, port: &str) -> Result<u64> {
    let file = format!("/var/heard/{user}-{port}");
    wait::until("its command", ANSWERS, || Ok(frame1.sh(&format!("ls {file}")).is_ok()))?;
    Ok(frame1.sh(&format!("stat -c %s {file}"))?.parse()?)
}

fn early(lab: &mut Lab) -> Result<()> {
    let scene = listening(lab)?;
    greeted(&scene)?;
    dropped(&scene)
}

/// The evaluation names the same login, so that it is the only one.
fn greeted(scene: &Scene) -> Result<()> {
    scene.has(fleet().node("frame1", "tags", vec!["another"]))?;
    let before = accepted(&scene.frame1)?.len();
    let running = begin(&scene.mac)?;
    let (user, port) = login_after(before, &scene.frame1)?;
    ensure!(heard(&scene.frame1, &user, &port)? == 0, "something ran before the evaluation");
    scene.mac.write("/root/go", "", 0o644)?;
    end(running)?.ends(0, &["already up to date"])?;
    let logins = accepted(&scene.frame1)?.len() - before;
    ensure!(logins == 1, "{logins} logins");
    ensure!(heard(&scene.frame1, &user, &port)? > 0, "it was not asked over this login");
    Ok(())
}

/// The evaluation names another user, so that root's login ends and nothing ran over it.
fn dropped(scene: &Scene) -> Result<()> {
    scene.mac.sh("rm /root/go")?;
    scene.has(fleet().node("frame1", "sshUser", "admin"))?;
    let before = accepted(&scene.frame1)?.len();
    let running = begin(&scene.mac)?;
    let (user, port) = login_after(before, &scene.frame1)?;
    ensure!(user == "root", "the login that begins early is that of {user}");
    scene.mac.write("/root/go", "", 0o644)?;
    end(running)?.ends(0, &["already up to date"])?;
    let (user, asked) = login_after(before + 1, &scene.frame1)?;
    ensure!(user == "admin", "{user} was asked");
    ensure!(heard(&scene.frame1, "admin", &asked)? > 0, "admin was not asked");
    let root = heard(&scene.frame1, "root", &port)?;
    ensure!(root == 0, "root's login read {root} bytes, though root was not named");
    wait::until("the end of root's login", ANSWERS, || {
        let journal = scene.frame1.journal(&["--no-pager"])?;
        let is_of_it = |line: &str| line.contains(&format!(" port {port}"));
        let is_end = |line: &str| line.contains("isconnect") || line.contains("onnection closed");
        Ok(journal.lines().any(|line| is_of_it(line) && is_end(line)))
    })
}
