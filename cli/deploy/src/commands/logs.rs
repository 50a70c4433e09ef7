//! `deploy logs MACHINE [ATTEMPT]`: prints the machine's journal of an attempt. With `--follow`, it
//! follows the attempt to its end.

use deploy_wire::{
    attempt::AttemptId,
    machine::Machine,
    message::{Reply, Request},
};

use super::evaluate;
use crate::{
    args::LogsArgs,
    error::{Failure, Result},
    outcome,
    queries::{look, watch},
    report::{Event, Report},
    stages::{
        ask::{self, Passwords, Way},
        flake::{self, Aim},
    },
};

/// Prints the logs. Exit code 2: the command line is wrong; 6: a log could not be read.
pub async fn run(args: &LogsArgs) -> u8 {
    let LogsArgs { machine, attempt, follow, showing, reach } = args;
    let (format, detail) = showing.report();
    let report = Report::new(format, detail);
    let failed = |failure, code| {
        report.tell(Event::Failed(failure));
        code
    };
    let words: Vec<String> = machine.iter().cloned().collect();
    let selection = match flake::select(&words) {
        Ok(selection) => selection.aimed_at(Aim::Look),
        Err(failure) => return failed(failure, outcome::USAGE),
    };
    let overrides = reach.overrides(showing.overrides());
    let (_, fleet) = match evaluate::machines(&selection, &overrides, &report).await {
        Ok(found) => found,
        Err(failure) => return failed(failure, outcome::COULD_NOT_LOOK),
    };
    let wanted = LogRequest { attempt: attempt.as_ref(), follow: *follow, way: reach.way() };
    let mut passwords = Passwords::default();
    let mut code = fleet.code_or(outcome::COULD_NOT_LOOK);
    for machine in fleet.machines {
        if let Err(failure) = log(machine, &wanted, &mut passwords, &report).await {
            code = failed(failure, outcome::COULD_NOT_LOOK);
        }
    }
    code
}

/// The logs to print of each machine.
struct LogRequest<'a> {
    attempt: Option<&'a AttemptId>,
    follow: bool,
    way: Way,
}

async fn log(
    machine: Machine,
    wanted: &LogRequest<'_>,
    passwords: &mut Passwords,
    report: &Report,
) -> Result<()> {
    let LogRequest { attempt, follow, way } = *wanted;
    if follow {
        return watch::follow_to_its_end(machine, attempt, way, passwords, report).await;
    }
    let probed = ask::ask(machine, way, passwords, report).await?;
    let name = probed.machine.name.clone();
    let Some(agent) = &probed.facts.agent else {
        return Err(Failure::unchanged(format!("{name} has no attempts"))
            .because("no deploy has run there: it has no agent"));
    };
    for reply in look::ask(&probed, agent, Request::Logs { attempt: attempt.cloned() }).await? {
        match reply {
            Reply::Log { line } => report.tell(Event::Log { machine: name.clone(), line }),
            Reply::Refused(refusal) => return Err(watch::unreadable_log(&name, &refusal)),
            _ => {}
        }
    }
    Ok(())
}
