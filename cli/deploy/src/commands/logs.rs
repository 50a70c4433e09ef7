//! `deploy logs MACHINE [ATTEMPT]`: what the machine's journal has of it; with `--follow`, what
//! happens in it now.

use deploy_wire::{
    attempt::AttemptId,
    message::{Reply, Request},
};

use super::deploy::{self, select};
use crate::{
    args::LogsArgs,
    error::{Failure, Result},
    outcome,
    report::{Event, Report},
    stages::{
        ask::{self, Passwords},
        look, watch,
    },
};

/// Prints the log. 6: it could not be read.
pub async fn run(args: &LogsArgs) -> u8 {
    let report = Report::new(args.machines.format(), args.machines.detail());
    match log(args, &report).await {
        Ok(()) => 0,
        Err(failure) => {
            report.tell(Event::Failed(failure));
            outcome::COULD_NOT_LOOK
        }
    }
}

async fn log(args: &LogsArgs, report: &Report) -> Result<()> {
    let (machines, attempt) = args.divided()?;
    let selection = select(&machines)?;
    let (_, fleet) = deploy::machines(&selection, &machines.overrides(), report).await?;
    let mut passwords = Passwords::default();
    for machine in fleet.machines {
        if args.follow {
            let way = machines.way();
            watch::to_its_end(machine, attempt.as_ref(), way, &mut passwords, report).await?;
            continue;
        }
        let probed = ask::ask(machine, machines.way(), &mut passwords, report).await?;
        let name = probed.machine.name.clone();
        let Some(agent) = &probed.facts.agent else {
            return Err(Failure::unchanged(format!("{name} has no attempts"))
                .because("deploy was never there: it has no agent"));
        };
        for reply in look::ask(&probed, agent, Request::Logs { attempt: attempt.clone() }).await? {
            match reply {
                Reply::Log { line } => report.tell(Event::Log { machine: name.clone(), line }),
                Reply::Refused(refusal) => return Err(watch::untold(&name, &refusal)),
                _ => {}
            }
        }
    }
    Ok(())
}

impl LogsArgs {
    /// An attempt's id is eight hexadecimal digits behind the machine's name.
    fn divided(&self) -> Result<(crate::args::Machines, Option<AttemptId>)> {
        let mut machines = self.machines.clone();
        let attempt = match machines.machines.as_slice() {
            [_, last] => Some(
                AttemptId::parse(last)
                    .map_err(|error| Failure::unchanged("the attempt is not one").because(error))?,
            ),
            _ => None,
        };
        if attempt.is_some() {
            machines.machines.truncate(1);
        }
        Ok((machines, attempt))
    }
}
