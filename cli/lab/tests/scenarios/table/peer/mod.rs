//! The same table for deploy-rs 1.0.0: nothing is asked of it but that it stood in the phase
//! when the fault came, and that nothing is wrong where no fault comes.

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

/// How many lines of what was printed are kept.
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

/// Brings a fault about in a phase and keeps what becomes of it.
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
    // The file was there when the phase was held; only a confirmation removes it.
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

/// How it ended: what it said, its exit code, and all that it printed.
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

/// Without a fault it does what it is for: the harness is not what is seen elsewhere.
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
