//! The timer, for the case that the watching service does not act.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::{Admission, Lab, wait};
use deploy_lab::systems::Lane;
use deploy_wire::outcome::End;
use deploy_wire::phase::Phase;
use deploy_wire::record::Record;

use crate::faults::case::Case;
use crate::faults::wanted::Wanted;
use crate::harness::Scenario;

pub const ALL: &[Scenario] = &[
    Scenario::new(
        "a-watching-service-that-stands-still-or-is-gone-is-replaced-at-the-deadline",
        replaced,
    ),
    Scenario::new("systemctl-isolate-while-it-waits-stops-neither-service-nor-timer", isolated),
];

const NOBODY: &str = "no new SSH login confirmed within 6 s";

/// The service is alive and does nothing, as in a call that does not return; or systemd does not
/// start it again, as after a `systemctl stop`.
const WAYS: [&str; 2] = ["kill --kill-whom=all --signal=STOP", "stop"];

fn begin(lab: &mut Lab) -> Result<Case> {
    let case = Case::new(lab, Lane::StandIn)?;
    case.wants(&Wanted::new(2).confirmed_within(Duration::from_secs(6)))?;
    Ok(case)
}

/// The waiting attempt, without an operator who could confirm or look at it. A look would start the
/// service again.
fn left_waiting(case: &Case) -> Result<Record> {
    case.begin_waiting()?.kill()?;
    let record = case.record()?;
    ensure!(record.phase == Phase::Waiting, "it waits no more: {record:?}");
    // The service arms the timer after it records the phase. Until then the previous phase's timer
    // is in effect.
    let deadline = record.deadline.context("it has no deadline")?.boottime_ms;
    let timer = format!("systemctl is-active deploy-rollback-{}-{deadline}.timer", record.attempt);
    wait::until("its timer is armed", wait::PATIENCE, || {
        Ok(case.frame1.command(["sh", "-c", &timer]).run()?.code == 0)
    })?;
    Ok(record)
}

fn goes_back(case: &Case) -> Result<()> {
    case.reaches(Phase::Ended)?;
    case.recorded(End::RolledBack, NOBODY)?;
    case.frame1.admit(Admission::All)?;
    case.ends_on(&case.before)
}

fn replaced(lab: &mut Lab) -> Result<()> {
    let case = begin(lab)?;
    for way in WAYS {
        let service = format!("deploy-agent-{}.service", left_waiting(&case)?.attempt);
        case.frame1.sh(&format!("systemctl {way} {service}"))?;
        goes_back(&case).context(way)?;
    }
    case.commits_after_waiting()
}

fn isolated(lab: &mut Lab) -> Result<()> {
    let case = begin(lab)?;
    let attempt = left_waiting(&case)?.attempt;
    case.frame1.sh("systemctl isolate multi-user.target")?;
    for watcher in [format!("agent-{attempt}.service"), format!("rollback-{attempt}-*.timer")] {
        let live = format!("systemctl list-units --plain --no-legend 'deploy-{watcher}'");
        ensure!(case.frame1.sh(&live)?.contains(" active "), "{watcher} was stopped");
    }
    goes_back(&case)?;
    case.commits_after_waiting()
}
