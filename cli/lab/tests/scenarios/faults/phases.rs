//! The loss of the power, the operator or the agent while a phase is held.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::{Admission, Running};
use deploy_wire::outcome::End;
use deploy_wire::phase::Phase;
use serde_json::json;

use super::case::Case;
use super::hold::{Held, Hold, Place, check};
use super::lane::on_both_lanes;
use super::wanted::Wanted;
use crate::harness::Scenario;
use crate::scene::end;

pub const ALL: &[Scenario] = on_both_lanes![
    "power-cuts-in-activation-checks-and-rollback-boot-the-old-system" => power,
    "an-operator-killed-in-checks-and-rollback-is-not-needed-to-go-back" => operator,
    "an-operator-killed-in-the-commit-is-not-needed-to-commit" => committed_alone,
    "an-agent-killed-in-activation-checks-commit-and-rollback-goes-on" => agent,
];

/// How long these machines wait for a login that does not arrive.
const LIMIT: Duration = Duration::from_secs(8);

const RESTARTED: &str = "the machine was restarted before the confirmation";
const NOBODY: &str = "no new SSH login confirmed within 8 s";

fn wanted(number: u32) -> Wanted {
    Wanted::new(number).confirmed_within(LIMIT).node("checks", json!([check()]))
}

/// Begins a deploy that is held in a phase.
fn begin_in(case: &Case, phase: Phase) -> Result<(Running, Held)> {
    let at = match phase {
        Phase::Activating => Place::Activation,
        Phase::Checking => Place::Check,
        Phase::Committing => Place::BootLoader,
        Phase::RollingBack => {
            // No login can confirm, so the machine rolls back.
            let running = case.begin_waiting()?;
            let held = Hold::at(&case.frame1, Place::Activation)?.reached()?;
            in_phase(case, phase)?;
            return Ok((running, held));
        }
        _ => anyhow::bail!("{phase} cannot be held"),
    };
    let (running, held) = case.begin_held_at(at)?;
    in_phase(case, phase)?;
    Ok((running, held))
}

fn in_phase(case: &Case, phase: Phase) -> Result<()> {
    let record = case.record()?;
    ensure!(record.phase == phase, "held in {}, not in {phase}", record.phase);
    Ok(())
}

const TO_THE_OLD_ONE: [Phase; 3] = [Phase::Activating, Phase::Checking, Phase::RollingBack];

fn power(case: &Case) -> Result<()> {
    case.wants(&wanted(2))?;
    for phase in TO_THE_OLD_ONE {
        let (running, _) = begin_in(case, phase)?;
        case.frame1.power_cut_and_boot()?;
        case.frame1.admit(Admission::All)?;
        let why = if phase == Phase::RollingBack { NOBODY } else { RESTARTED };
        end(running)?
            .ends(3, &["frame1 was rolled back", why, "state: back on generation 1"])
            .with_context(|| format!("cut in {phase}"))?;
        case.recorded(End::RolledBack, why)?;
        case.ends_on(&case.before).with_context(|| format!("cut in {phase}"))?;
    }
    case.commits_after_hold()
}

fn operator(case: &Case) -> Result<()> {
    case.wants(&wanted(2))?;
    for phase in [Phase::Checking, Phase::RollingBack] {
        let (mut running, held) = begin_in(case, phase)?;
        running.kill()?;
        case.frame1.admit(Admission::All)?;
        held.go()?;
        case.reaches(Phase::Ended)?;
        case.recorded(End::RolledBack, NOBODY)?;
        case.ends_on(&case.before).with_context(|| format!("killed in {phase}"))?;
    }
    let (running, held) = begin_in(case, Phase::Checking)?;
    held.go()?;
    end(running)?.ends(0, &["frame1: committed"]).context("the control")
}

fn committed_alone(case: &Case) -> Result<()> {
    let system = case.wants(&wanted(2))?;
    let (mut running, held) = begin_in(case, Phase::Committing)?;
    running.kill()?;
    held.go()?;
    case.reaches(Phase::Ended)?;
    case.recorded(End::Committed, "")?;
    case.deploy("frame1")?.ends(0, &["already up to date"])?;
    case.ends_on(&system)
}

fn agent(case: &Case) -> Result<()> {
    let phases = [Phase::Activating, Phase::Checking, Phase::Committing];
    let mut system = case.before.clone();
    for (number, phase) in (2..).zip(phases) {
        system = case.wants(&wanted(number))?;
        let (running, held) = begin_in(case, phase)?;
        case.kill_agent()?;
        in_phase(case, phase)?;
        held.go()?;
        end(running)?
            .ends(0, &["frame1: committed"])
            .with_context(|| format!("killed in {phase}"))?;
        case.ends_on(&system).with_context(|| format!("killed in {phase}"))?;
    }
    case.wants(&wanted(5))?;
    let (running, held) = begin_in(case, Phase::RollingBack)?;
    case.kill_agent()?;
    in_phase(case, Phase::RollingBack)?;
    held.go()?;
    end(running)?.ends(3, &["frame1 was rolled back", NOBODY, "state: back on generation 4"])?;
    case.recorded(End::RolledBack, NOBODY)?;
    case.frame1.admit(Admission::All)?;
    case.ends_on(&system)
}
