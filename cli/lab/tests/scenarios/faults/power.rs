//! Power cuts.

use anyhow::{Context, Result, ensure};
use deploy_lab::hosts::Admission;
use deploy_wire::outcome::End;
use deploy_wire::phase::Phase;
use deploy_wire::record::Record;
use deploy_wire::sealed;

use super::case::Case;
use super::lane::on_both_lanes;
use super::wanted::Wanted;
use crate::harness::Scenario;
use crate::scene::{ANSWERS, end};

pub const ALL: &[Scenario] = on_both_lanes![
    "a-power-cut-while-waiting-comes-back-on-the-old-system" => waiting,
    "the-next-status-or-deploy-ends-an-attempt-that-a-power-cut-left-open" => next,
    "a-power-cut-the-instant-deploy-ends-boots-the-new-system" => done,
];

const RESTARTED: &str = "the machine was restarted before the confirmation";

/// The operator stays and reports the outcome.
fn waiting(case: &Case) -> Result<()> {
    case.wants(&Wanted::new(2))?;
    let running = case.begin_waiting()?;
    cut(case)?;
    case.frame1.admit(Admission::All)?;
    let said = end(running)?;
    said.ends(3, &["frame1 was rolled back", RESTARTED, "state: back on generation 1"])?;
    case.recorded(End::RolledBack, RESTARTED)?;
    case.ends_on(&case.before)?;
    case.commits_after_waiting()
}

/// The operator is gone as well. Nothing of `deploy` runs at boot, and the next command ends the
/// attempt.
fn next(case: &Case) -> Result<()> {
    let wanted = case.wants(&Wanted::new(2))?;
    left_open(case)?;
    let said = case.deploy("status frame1")?;
    said.ends(0, &["rolled back", RESTARTED])?;
    case.recorded(End::RolledBack, RESTARTED)?;
    case.ends_on(&case.before)?;

    let open = left_open(case)?;
    case.deploy("frame1")?.ends(0, &["frame1: committed"])?;
    let path = format!("/nix/var/deploy-agent/attempts/{}.json", open.attempt);
    let ended: Record = sealed::open(case.frame1.read(&path)?.as_bytes())?;
    let outcome = ended.outcome.context("the next deploy left it open")?;
    ensure!(outcome.end == End::RolledBack, "{outcome:?}");
    ensure!(outcome.why.as_deref() == Some(RESTARTED), "{outcome:?}");
    case.ends_on(&wanted)
}

/// The operator disappears and the power is cut while the machine waits. After the boot the attempt
/// is still open.
fn left_open(case: &Case) -> Result<Record> {
    case.begin_waiting()?.kill()?;
    cut(case)?;
    case.frame1.admit(Admission::All)?;
    let open = case.record()?;
    ensure!(open.is_open(), "somebody ended it: {:?}", open.outcome);
    Ok(open)
}

/// Cuts the power while the machine waits, and examines the system that boots.
fn cut(case: &Case) -> Result<()> {
    ensure!(case.record()?.phase == Phase::Waiting, "it waits no more");
    ensure!(case.frame1.sh("cat /etc/generation")? == "2", "the new system does not run");
    case.frame1.power_cut_and_boot()?;
    let runs = case.frame1.sh("readlink /run/current-system")?;
    ensure!(runs == case.before, "it boots {runs}, not {}", case.before);
    Ok(())
}

fn done(case: &Case) -> Result<()> {
    let wanted = case.wants(&Wanted::new(2))?;
    let said = end(case.begin("frame1")?)?;
    case.frame1.power_cut()?;
    said.ends(0, &["frame1: committed"])?;
    case.frame1.boot()?;
    case.frame1.wait_for_ssh(ANSWERS)?;
    ensure!(case.runs()? == wanted, "{wanted} was committed, frame1 boots {}", case.runs()?);
    case.recorded(End::Committed, "")?;
    case.deploy("frame1")?.ends(0, &["already up to date"])?;
    case.ends_on(&wanted)
}
