//! After a rollback exactly the units that ran before run again.

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::Lab;
use deploy_lab::systems::{Generation, Lane, Unit};
use deploy_wire::phase::Phase;

use crate::faults::case::Case;
use crate::harness::Scenario;
use crate::scene::{Scene, end};

pub const ALL: &[Scenario] = &[Scenario::new(
    "a-killed-switch-leaves-lists-and-stopped-units-and-rollback-restores-the-exact-set-that-ran",
    restored,
)];

/// The units before the deploy: one started by hand, an instance of a template, one that the
/// administrator had stopped, and one that a target wants.
const STARTED: [&str; 3] = ["hand.service", "worker@7.service", "wanted.service"];
const STOPPED: &str = "stopped.service";

const SLEEP: &str = "/run/current-system/sw/bin/sleep infinity";

/// The units differ in each version, so that a switch touches all of them.
fn generation(number: u32) -> Generation {
    let text = |name: &str| {
        format!("[Service]\nEnvironment=VERSION={number} NAME={name}\nExecStart={SLEEP}\n")
    };
    let wanted = |name: &str| Unit::new(text(name)).wanted_by("multi-user.target");
    Generation::new("frame1", number)
        .unit("hand.service", Unit::new(text("hand")))
        .unit("worker@.service", Unit::new(text("worker")))
        .unit("wanted.service", wanted("wanted"))
        .unit(STOPPED, wanted("stopped"))
}

/// The new system has a unit that the previous one lacks, and whose start never ends.
fn hanging() -> Generation {
    let start = format!("Type=oneshot\nTimeoutStartSec=infinity\nExecStart={SLEEP}");
    generation(3).unit("hanging.service", Unit::service(&start))
}

fn restored(lab: &mut Lab) -> Result<()> {
    let case = Case::new(lab, Lane::StandIn)?;
    Scene::wants(&case, generation(2))?;
    let before = case.wanted()?;
    case.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    case.frame1
        .sh(&format!("systemctl start hand.service worker@7.service; systemctl stop {STOPPED}"))?;

    Scene::wants(&case, hanging())?;
    let running = case.begin("frame1")?;
    deploy_lab::hosts::wait::until("the switch hangs", crate::scene::ANSWERS * 6, || {
        let job = case.frame1.sh("systemctl list-jobs --plain --no-legend hanging.service || :")?;
        Ok(job.contains("hanging.service"))
    })?;
    ensure!(case.record()?.phase == Phase::Activating, "it does not activate any more");
    let list = case.frame1.sh("cat /run/nixos/start-list")?;
    ensure!(list.contains("multi-user.target"), "the list is {list}");
    // The previous system lacks this unit, so starting it would fail.
    case.frame1.sh("echo hanging.service >> /run/nixos/start-list")?;
    // The switch is killed while it waits; its job stays in process 1.
    case.frame1
        .sh("systemctl kill --kill-whom=all --signal=KILL 'deploy-switch-*-activate.service'")?;

    let said = end(running)?;
    said.ends(3, &["frame1 was rolled back", "the switch was killed"])?;
    ensure!(!said.text.contains("could not be started again"), "{}", said.text);
    for unit in STARTED {
        case.frame1.sh(&format!("systemctl is-active {unit}")).context(unit)?;
        let version = case.frame1.sh(&format!("systemctl show --value -p Environment {unit}"))?;
        ensure!(version.contains("VERSION=2"), "{unit} has {version}");
    }
    let state = case.frame1.sh(&format!("systemctl is-active {STOPPED} || :"))?;
    ensure!(state == "inactive", "{STOPPED}, which the admin had stopped, is {state}");
    let log = case.log()?;
    ensure!(!log.contains("roll-back ended with"), "the switch back failed in part:\n{log}");
    let left = case.frame1.sh("cat /run/nixos/*-list 2> /dev/null || :")?;
    ensure!(left.is_empty(), "lists are left: {left}");
    let jobs = case.frame1.sh("systemctl list-jobs --plain --no-legend hanging.service || :")?;
    ensure!(!jobs.contains("hanging"), "its job lives on: {jobs}");
    case.ends_on(&before)
}
