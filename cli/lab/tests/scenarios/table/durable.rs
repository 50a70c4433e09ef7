//! Power cuts right after each call with which the agent makes something durable. strace stops the
//! agent there, and the lab keeps only what was synced.

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::{Host, Lab, wait};
use deploy_lab::systems::{Fleet, Generation};
use deploy_wire::outcome::End;
use deploy_wire::phase::Phase;
use deploy_wire::record::Record;
use deploy_wire::sealed;
use serde_json::json;

use super::operator::{Operator, Told};
use crate::harness::Scenario;
use crate::scene::{ANSWERS, Scene};

pub const ALL: &[Scenario] = &[
    Scenario::new("table-power-cut-after-every-durable-call-of-stage", stage),
    Scenario::new("table-power-cut-after-every-durable-call-of-the-watching-service", watch),
];

/// The calls that change what is on the disk. Writes between two of them are lost with the power,
/// so a cut there is the same as a cut after the first call.
const CALLS: [&str; 3] = ["fsync", "syncfs", "fdatasync"];

const RECORD: &str = "/nix/var/deploy-agent/attempt.json";
const LOG: &str = "/run/durable.log";
const STOPPED: &str = "stopped by SIGSTOP";

/// sshd starts the agent that talks to the operator. The key's forced command puts strace before
/// the agent, in the script that `deploy` sends as the start of its standard input. The command
/// line has the script's length.
const SERVE: &str = r#"case "$SSH_ORIGINAL_COMMAND" in
*'head -c '*) ;;
*) exec sh -c "$SSH_ORIGINAL_COMMAND" ;;
esac
count=${SSH_ORIGINAL_COMMAND##*head -c }
script=$(head -c "${count%%)*}" |
  sed 's|exec \(/nix/store/[^ ]*deploy-agent serve\)|exec STRACE \1|')
path=${SSH_ORIGINAL_COMMAND#*\'}
eval "${path%%eval *}"
eval "$script""#;

/// Does the same for the watching service, by a drop-in for all units with this prefix.
const WATCH: &str = "mkdir -p /run/systemd/system/deploy-agent-.service.d
cat > /run/systemd/system/deploy-agent-.service.d/trace.conf <<'END'
[Service]
ExecStart=
ExecStart=STRACE /run/deploy-agent/agent run %j
END
systemctl daemon-reload";

fn stage(lab: &mut Lab) -> Result<()> {
    let scene = Scene::new(lab)?;
    let keys = scene.frame1.read("/root/.ssh/authorized_keys")?;
    let traced =
        keys.lines().map(|key| format!("command=\"sh /root/serve\" {key}\n")).collect::<String>();
    scene.frame1.write("/root/.ssh/authorized_keys", traced, 0o600)?;
    every_call(&scene, |machine, strace| {
        machine.write("/root/serve", SERVE.replace("STRACE", strace), 0o600)
    })
}

fn watch(lab: &mut Lab) -> Result<()> {
    every_call(&Scene::new(lab)?, |machine, strace| {
        machine.sh(&WATCH.replace("STRACE", strace)).map(drop)
    })
}

/// Deploys repeatedly. In each deploy the agent is stopped one call later.
fn every_call(scene: &Scene, trace: impl Fn(&Host, &str) -> Result<()>) -> Result<()> {
    let mut number = 2;
    let mut cuts = 0;
    for call in CALLS {
        for nth in 1.. {
            let inject = format!("--inject={call}:signal=SIGSTOP:when={nth}");
            let strace = format!("/usr/bin/strace -o {LOG} --trace={} {inject}", CALLS.join(","));
            trace(&scene.frame1, &strace)?;
            number += 1;
            let what = || format!("the power is cut after {call} number {nth}");
            if cut(scene, number).with_context(what)? == Cut::TooLate {
                break;
            }
            cuts += 1;
        }
    }
    ensure!(cuts > 5, "the agent was stopped at {cuts} calls only");
    println!("the power was cut at {cuts} calls");
    trace(&scene.frame1, "env")?;
    wants(scene, number + 1)?;
    scene.deploy("frame1")?.ends(0, &["committed"])?;
    wait::until("roots of ended attempts are gone", ANSWERS, || {
        Ok(scene.frame1.sh("ls /nix/var/nix/gcroots/deploy-agent")? == "agent")
    })?;
    scene.ends_on(&scene.wanted()?)
}

#[derive(PartialEq, Eq)]
enum Cut {
    /// The power was cut at the call.
    Done,
    /// The deploy ended before it made that many calls.
    TooLate,
}

fn wants(scene: &Scene, number: u32) -> Result<()> {
    scene.has(Fleet::of("frame1", Generation::new("frame1", number)).node(
        "frame1",
        "units",
        json!({ "watch": 0 }),
    ))
}

fn cut(scene: &Scene, number: u32) -> Result<Cut> {
    let machine = &scene.frame1;
    let before = machine.sh(&format!("rm -f {LOG}; readlink /run/current-system"))?;
    wants(scene, number)?;
    let mut deploy = Operator::new(scene.begin("frame1 --json")?);
    let mut over = false;
    deploy
        .until("the agent is stopped, or deploy ends", || {
            let log = machine.sh(&format!(
                "cat {LOG} 2> /dev/null || true; \
            systemctl is-active --quiet 'deploy-*' || echo none"
            ))?;
            Ok(log.contains(STOPPED))
        })
        .or_else(|error| {
            over = format!("{error:#}").contains("deploy ended");
            if over { Ok(()) } else { Err(error) }
        })?;
    if over {
        let output = deploy.end()?.context("deploy was not killed")?;
        Told::of(&output)?.tells(deploy_lab::tables::fault_table::Ending::Committed)?;
        return Ok(Cut::TooLate);
    }
    machine.power_cut()?;
    deploy.kill()?;
    machine.boot()?;
    // The record on the disk. Nothing of `deploy` runs at boot.
    let record = record(machine)?;
    machine.wait_for_ssh(ANSWERS)?;
    let runs = scene.runs()?;
    let (old, new) =
        (runs == before, record.as_ref().is_some_and(|r| r.wanted.to_string() == runs));
    ensure!(old || new, "it boots {runs}: {record:#?}");
    let Some(record) = record else { return Ok(Cut::Done) };
    let ended = record.outcome.as_ref().map(|outcome| outcome.end);
    match (record.phase, ended) {
        (Phase::Committing, _) => {}
        (_, Some(End::Committed)) if record.wanted.to_string() == runs || old => {}
        _ => ensure!(old, "it boots what nobody confirmed: {record:#?}"),
    }
    Ok(Cut::Done)
}

fn record(machine: &Host) -> Result<Option<Record>> {
    let path = machine.root().join(&RECORD[1..]);
    let Ok(file) = std::fs::read(path) else { return Ok(None) };
    Ok(Some(sealed::open(&file)?))
}
