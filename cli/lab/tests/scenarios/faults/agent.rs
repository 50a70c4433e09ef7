//! The agent is killed.

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::Admission;
use deploy_wire::outcome::End;
use deploy_wire::phase::Phase;

use super::case::Case;
use super::lane::on_both_lanes;
use super::wanted::Wanted;
use crate::harness::Scenario;
use crate::scene::end;

pub const ALL: &[Scenario] = on_both_lanes![
    "an-agent-killed-while-waiting-goes-back-at-the-same-deadline" => once,
    "an-agent-killed-seven-times-in-a-row-goes-on" => seven,
];

fn once(case: &Case) -> Result<()> {
    case.wants(&Wanted::new(2).confirmed_within(Duration::from_secs(10)))?;
    let running = case.begin_waiting()?;
    let deadline = case.record()?.deadline;
    case.kill_agent()?;
    let now = case.record()?;
    ensure!(now.phase == Phase::Waiting, "it waits no more: {now:?}");
    ensure!(now.deadline == deadline, "the deadline moved: {:?} to {deadline:?}", now.deadline);
    let nobody = "no new SSH login confirmed within 10 s";
    let said = end(running)?;
    said.ends(3, &["frame1 was rolled back", nobody, "state: back on generation 1"])?;
    case.recorded(End::RolledBack, nobody)?;
    case.logged(&["Main process exited, code=killed, status=9/KILL"])?;
    case.frame1.admit(Admission::All)?;
    case.ends_on(&case.before)?;
    case.commits_after_waiting()
}

/// With systemd's defaults, five kills within ten seconds stop a restarting service for good.
fn seven(case: &Case) -> Result<()> {
    let wanted = case.wants(&Wanted::new(2).confirmed_within(Duration::from_secs(60)))?;
    let running = case.begin_waiting()?;
    for _ in 0..7 {
        case.kill_agent()?;
    }
    ensure!(case.record()?.phase == Phase::Waiting, "it waits no more: {:?}", case.record()?);
    let log = case.log()?;
    let kills = log.matches("Main process exited, code=killed, status=9/KILL").count();
    ensure!(kills == 7, "{kills} kills hit:\n{log}");
    case.frame1.admit(Admission::All)?;
    end(running)?.ends(0, &["frame1: committed"])?;
    case.recorded(End::Committed, "")?;
    case.ends_on(&wanted)
}
