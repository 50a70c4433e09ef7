//! The same table for deploy-rs 1.0.0. The scenarios only require that the deploy was in its phase
//! when the fault occurred, and that a deploy without a fault succeeds.

mod logins;
mod look;
mod settings;
mod stand;
mod state;
mod strike;

use anyhow::{Result, ensure};
use deploy_lab::bench::deploy_rs;
use deploy_lab::hosts::Lab;
use deploy_lab::tables::fault_table::peer::{Phase, Place, Row, Said, Seen, keep, place};
use deploy_lab::tables::fault_table::{Fault, System};

use self::stand::Stand;
use super::operator::Operator;
use crate::harness::Scenario;

/// The number of lines of the output that are kept.
const KEPT: usize = 12;

/// A scenario for each cell that can be run.
pub fn all() -> Vec<Scenario> {
    let cells = Row::all().into_iter().flat_map(|row| Phase::ALL.map(|phase| (row, phase)));
    cells
        .filter(|(row, phase)| place(*row, *phase) == Place::Tried)
        .map(|(row, phase)| {
            let name = format!("deploy-rs-table-{}-in-{}", row.word(), phase.word());
            Scenario::peer_cell(name, row, phase).unless(deploy_rs::missing)
        })
        .collect()
}

/// Causes a fault in a phase and stores the result.
pub fn run(lab: &mut Lab, row: Row, phase: Phase) -> Result<()> {
    keep(row, phase, None)?;
    let stand = Stand::new(lab, row, phase)?;
    let (mut deploy, held) = stand.begin()?;
    let stood = stand.in_phase()?;
    let struck = strike::strike(&stand, &mut deploy, held)?;
    let Ending { said, code, text } = ending(deploy)?;
    stand.heal()?;
    let busy = !stand.comes_to_rest();
    let state = stand.state()?;
    // The file existed when the phase was held. Only a confirmation removes it.
    let removed = phase == Phase::Wait
        && state.as_ref().is_some_and(|now| !now.canary && now.boot == stand.before.boot);
    let logs_in = stand.logs_in();
    let done = struck.evidence(&stand, &text)?;
    let evidence = format!("{stood}; {done}");
    let boots = stand.boots()?;
    let seen = Seen {
        runs: state.map(|state| system(&stand, &state.runs)),
        boots: boots.map(|boots| system(&stand, &boots)),
        logs_in,
        logs_in_again: stand.logs_in(),
        confirmed: said == Said::Confirmed || removed,
        busy,
        said,
        code,
        evidence,
        printed: last(&text),
    };
    if row == Row::Of(Fault::Control) {
        control(&seen, phase)?;
    }
    keep(row, phase, Some(&seen))
}

/// How it ended: the report, the exit code, and the whole output.
struct Ending {
    said: Said,
    code: Option<i32>,
    text: String,
}

fn ending(mut deploy: Operator) -> Result<Ending> {
    let nothing = |said, text| Ending { said, code: None, text };
    let Some(ends) = deploy.ends()? else { return Ok(nothing(Said::Killed, String::new())) };
    let text = deploy.printed()?;
    if !ends {
        deploy.kill()?;
        return Ok(nothing(Said::Nothing, text));
    }
    let code = deploy.end()?.map(|output| output.code);
    let said = match code {
        Some(0) => Said::Confirmed,
        _ if text.contains("rolled back to previous generation") => Said::RolledBack,
        _ => Said::Failed,
    };
    Ok(Ending { said, code, text })
}

fn last(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(KEPT)..].iter().map(|line| (*line).to_owned()).collect()
}

fn system(stand: &Stand, path: &str) -> System {
    match path {
        path if path == stand.wanted => System::New,
        path if path == stand.before.runs => System::Old,
        _ => System::Other,
    }
}

/// Without a fault deploy-rs succeeds, so the harness does not cause the other results.
fn control(seen: &Seen, phase: Phase) -> Result<()> {
    let (said, system) = match phase {
        Phase::RollBack => (Said::RolledBack, System::Old),
        _ => (Said::Confirmed, System::New),
    };
    let wrong = seen.wrong();
    let well = wrong.is_empty() && seen.said == said && seen.runs == Some(system);
    ensure!(well, "the control is not well {wrong:?}: {seen:#?}");
    Ok(())
}
