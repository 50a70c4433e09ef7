//! The loss of the operator, or of the connection to the machine.

use std::time::Duration;

use anyhow::{Result, ensure};
use deploy_lab::hosts::Link;
use deploy_wire::outcome::End;
use deploy_wire::phase::Phase;

use super::case::Case;
use super::lane::on_both_lanes;
use super::wanted::Wanted;
use crate::harness::Scenario;
use crate::scene::{ANSWERS, end, logs_in};

pub const ALL: &[Scenario] = on_both_lanes![
    "an-operator-killed-during-the-activation-is-not-needed-to-go-back" => killed,
    "a-network-gone-during-the-activation-and-not-back-is-said-and-rolled-back" => gone,
    "a-network-gone-during-the-activation-and-back-in-time-commits" => back,
];

/// How long these machines wait for a login that does not arrive.
const LIMIT: Duration = Duration::from_secs(4);

const NOBODY: &str = "no new SSH login confirmed within 4 s";

fn killed(case: &Case) -> Result<()> {
    case.wants(&Wanted::new(2).confirmed_within(LIMIT))?;
    let (mut running, held) = case.begin_held()?;
    ensure!(case.record()?.phase == Phase::Activating, "{:?}", case.record()?);
    ensure!(!connections(case)?.is_empty(), "deploy has no connection that could be killed");
    running.kill()?;
    ensure!(connections(case)?.is_empty(), "its ssh lives on");
    held.go()?;
    case.reaches(Phase::Waiting)?;
    case.reaches(Phase::Ended)?;
    case.recorded(End::RolledBack, NOBODY)?;
    case.deploy("status frame1")?.ends(0, &["rolled back", NOBODY])?;
    case.ends_on(&case.before)?;
    case.commits_after_hold()
}

/// The operator's ssh processes.
fn connections(case: &Case) -> Result<String> {
    case.mac.sh("pgrep --exact ssh || :")
}

fn gone(case: &Case) -> Result<()> {
    case.wants(&Wanted::new(2).confirmed_within(LIMIT).short())?;
    let (running, held) = case.begin_held()?;
    ensure!(case.record()?.phase == Phase::Activating, "{:?}", case.record()?);
    case.frame1.link(Link::Cut)?;
    held.go()?;
    case.reaches(Phase::Waiting)?;
    case.reaches(Phase::Ended)?;
    case.recorded(End::RolledBack, NOBODY)?;
    let state = "state: not known; its deadlines are over: it is back on ";
    end(running)?.ends(5, &["cannot find out how attempt", state])?;
    let here = || case.frame1.sh("readlink /run/current-system");
    ensure!(here()? == case.before, "frame1 runs {}", here()?);
    case.frame1.power_cut_and_boot()?;
    ensure!(here()? == case.before, "frame1 boots {}", here()?);

    case.frame1.link(Link::Joined)?;
    logs_in(&case.mac, ANSWERS)?;
    case.deploy("status frame1")?.ends(0, &["rolled back", NOBODY])?;
    case.ends_on(&case.before)?;
    case.commits_after_hold()
}

/// The deploy's first connection survives, or `deploy` opens another.
fn back(case: &Case) -> Result<()> {
    let wanted = case.wants(&Wanted::new(2))?;
    let (running, held) = case.begin_held()?;
    case.frame1.link(Link::Cut)?;
    held.go()?;
    case.reaches(Phase::Waiting)?;
    case.frame1.link(Link::Joined)?;
    end(running)?.ends(0, &["frame1: committed"])?;
    case.recorded(End::Committed, "")?;
    case.ends_on(&wanted)
}
