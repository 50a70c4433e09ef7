//! What an attacker can do with the key of a user whom sudo allows to run the installed agent.

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::{Admission, Host, Lab, access};
use deploy_lab::systems::Fleet;
use deploy_wire::WIRE_VERSION;
use deploy_wire::attempt::Login;
use deploy_wire::message::{Asked, Request};
use deploy_wire::record::Record;
use deploy_wire::sealed;
use serde_json::{Value, json};

use super::narrow::Narrow;
use super::{end_on_terminal, flake_that_builds, on_terminal, write_flake};
use crate::faults::hold::{Hold, Place};
use crate::harness::Scenario;

pub const ALL: &[Scenario] = &[
    Scenario::new("the-key-of-a-user-who-may-run-only-the-agent-opens-no-more", key),
    Scenario::new("a-user-who-may-run-only-the-agent-runs-the-system-s-commands-alone", commands),
    Scenario::new(
        "nix-s-protocol-takes-no-settings-from-a-user-who-may-run-only-the-agent",
        settings,
    ),
    Scenario::new(
        "a-user-who-may-run-only-the-agent-confirms-by-no-login-that-is-not-there",
        forged,
    ),
];

/// The `authorized_keys` line of the module `deploy.agent`.
fn key(lab: &mut Lab) -> Result<()> {
    let narrow = Narrow::new(lab)?;
    let scene = &narrow.scene;
    let key = access::operator_key(&scene.mac)?;
    let file = "/home/deploy/.ssh/authorized_keys";
    scene.frame1.write(file, format!("restrict {}\n", key.trim()), 0o600)?;
    scene.frame1.sh(&format!("chown deploy: {file}"))?;
    scene.mac.sh("ssh-agent -a /root/agent.sock > /root/agent.env")?;
    let tried = |line: &str| scene.mac.command(["sh", "-c", line]).run();
    for (line, refused) in [
        ("ssh -tt deploy@frame1 'test -t 0'", "PTY allocation request failed"),
        ("ssh -W 127.0.0.1:22 deploy@frame1 < /dev/null", "administratively prohibited"),
        (
            "timeout 20 ssh -N -o ExitOnForwardFailure=yes -R 7777:127.0.0.1:22 deploy@frame1",
            "remote port forwarding failed",
        ),
    ] {
        let said = tried(line)?;
        ensure!(said.code != 0 && said.stderr.contains(refused), "{line}: {said:?}");
    }
    let lent = "SSH_AUTH_SOCK=/root/agent.sock ssh -A deploy@frame1 'test -z \"$SSH_AUTH_SOCK\"'";
    ensure!(tried(lent)?.code == 0, "the operator's agent is lent");
    narrow.wants(narrow.system(3))?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    ensure!(scene.runs()? == scene.wanted()?);
    Ok(())
}

/// One command of each kind that a description runs as root. Each would create a file.
fn own() -> [(&'static str, Value, &'static str); 3] {
    let argv = ["touch", "/root/of-the-client"];
    [
        (
            "checks",
            json!([{ "name": "own", "service": "lab", "kind": { "type": "command", "argv": argv } }]),
            "the check command [\"touch\"",
        ),
        (
            "beforeActivate",
            json!([{ "service": "lab", "argv": argv, "timeout": 5 }]),
            "the command before the switch [\"touch\"",
        ),
        (
            "secrets",
            json!([{ "name": "own", "file": "/etc/hostname", "path": "/run/own", "mode": "0400",
                     "owner": "root", "group": "root", "identityPaths": ["/etc/hostname"],
                     "ageBin": "touch /root/of-the-client;" }]),
            "the command \"touch /root/of-the-client;\" for the secret",
        ),
    ]
}

fn commands(lab: &mut Lab) -> Result<()> {
    let narrow = Narrow::new(lab)?;
    let scene = &narrow.scene;
    let runs = scene.runs()?;
    for (field, value, told) in own() {
        let fleet = Fleet::of("frame1", narrow.system(3)).node("frame1", "sshUser", "deploy");
        scene.has(fleet.node("frame1", field, value))?;
        let said = scene.deploy("frame1")?;
        said.ends(1, &[told, "does not name it", "--ssh-user", "nothing was changed"])?;
        let made = scene.frame1.command(["test", "-e", "/root/of-the-client"]).run()?;
        ensure!(made.code != 0, "{field}: it ran");
    }
    ensure!(scene.runs()? == runs);

    // The same commands, declared by the system itself.
    let [(_, checks, _), (_, before, _), _] = own();
    let manifest = json!({ "version": 1, "checks": checks, "rollback": { "services": {} },
                           "beforeActivate": before, "secrets": [] });
    let system = narrow.system(4).etc("deploy-agent/manifest.json", &manifest.to_string());
    let fleet = Fleet::of("frame1", system).node("frame1", "sshUser", "deploy");
    scene.has(fleet.node("frame1", "checks", checks).node("frame1", "beforeActivate", before))?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    scene.frame1.sh("rm /root/of-the-client")?;

    let journal = scene.frame1.journal(&["-t", "deploy-agent"])?;
    let record = record(&scene.frame1)?;
    let staged = record.login.map(|login| login.to_string()).unwrap_or_default();
    let confirmed = record.confirmed_by.map(|login| login.to_string()).unwrap_or_default();
    let id = &record.attempt;
    for line in [
        format!(
            "as attempt {id}, by uid 0 at mac in the client's words, from the SSH connection {staged}"
        ),
        format!("asked to start attempt {id}, from the SSH connection {staged}"),
        format!("asked to confirm attempt {id}, from the SSH connection {confirmed}"),
    ] {
        ensure!(journal.contains(&line), "`{line}` is not in the journal:\n{journal}");
    }
    Ok(())
}

fn record(frame1: &Host) -> Result<Record> {
    let text = frame1.read("/nix/var/deploy-agent/attempt.json")?;
    sealed::open(text.as_bytes()).context("the record is not read")
}

/// The daemon would run a hook of the client as root, after a build there.
fn settings(lab: &mut Lab) -> Result<()> {
    let narrow = Narrow::new(lab)?;
    let scene = &narrow.scene;
    let hook = "#!/bin/sh\ntouch /root/of-the-client\n";
    scene.frame1.write("/usr/local/bin/hook", hook, 0o755)?;
    narrow.wants(narrow.system(3))?;
    let script = r"printf '[Service]\nExecStart=/bin/true\n# %s\n' $number > $out";
    write_flake(&scene.mac, &flake_that_builds("built.service", "x86_64-linux", script))?;
    let args = "frame1 --build-on target -- --option post-build-hook /usr/local/bin/hook";
    scene.deploy(args)?.ends(0, &["committed"])?;
    scene.frame1.sh("grep -q '^# 3' /etc/systemd/system/built.service")?;
    let ran = scene.frame1.command(["test", "-e", "/root/of-the-client"]).run()?;
    ensure!(ran.code != 0, "the client's hook ran");
    let journal = scene.frame1.journal(&["-t", "deploy-agent"])?;
    let line = "asked to carry Nix's protocol, from the SSH connection ";
    ensure!(journal.contains(line), "{journal}");

    // An operation that a push does not need.
    let said =
        scene.mac.sh("nix store gc --store 'ssh-ng://deploy@frame1?remote-program=sudo -n \
         /run/current-system/sw/bin/deploy-agent serve' 2>&1 || :")?;
    // In Nix's own words: what only stderr says may be lost.
    let refused = "error: operation 20 of Nix's protocol is not allowed";
    ensure!(said.contains(refused), "{said}");
    Ok(())
}

/// A process that does not descend from sshd claims a login.
fn forged(lab: &mut Lab) -> Result<()> {
    let narrow = Narrow::new(lab)?;
    let scene = &narrow.scene;
    let fleet = Fleet::of("frame1", narrow.system(3)).node("frame1", "sshUser", "deploy");
    scene.has(fleet.node("frame1", "confirmTimeout", 120))?;
    let hold = Hold::at(&scene.frame1, Place::Activation)?;
    let terminal = on_terminal(&scene.mac, "frame1")?;
    let held = hold.reached()?;
    scene.frame1.admit(Admission::OldOnly)?;
    held.go()?;
    terminal.wait_for("waiting for a new login to confirm")?;
    let request = Request::Confirm { attempt: record(&scene.frame1)?.attempt };
    let login = Login::parse("192.0.2.1 50000 192.0.2.2 22");
    let asked = serde_json::to_string(&Asked { version: WIRE_VERSION, login, request })?;
    let agent = ["runuser", "-u", "deploy", "--", "sudo", "-n", AGENT, "serve"];
    let said = scene.frame1.command(agent).stdin(asked).run()?;
    ensure!(said.stdout.contains("\"sameLogin\""), "it counts: {said:?}");
    ensure!(said.stdout.contains("must come over an SSH login"), "{said:?}");
    scene.frame1.admit(Admission::All)?;
    end_on_terminal(terminal)?.ends(0, &["frame1: committed"])?;
    Ok(())
}

const AGENT: &str = "/run/current-system/sw/bin/deploy-agent";
