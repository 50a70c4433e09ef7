//! The whole story of a deploy, in order: each stage eats what the one before
//! it made.
//!
//!     flake -> fleet -> ask -> plan -> build -> push -> activate -> confirm -> report

use std::path::PathBuf;

use deploy_wire::{attempt::AttemptId, machine::Machine, message::Mode};

use crate::{
    error::{Failure, Result},
    outcome::Ending,
    report::{Event, Finished, Report},
    stages::{
        activate,
        ask::{self, Passwords, Probed, Way},
        build,
        conclude::finished,
        confirm::Started,
        plan::{self, AcceptedName, Plan},
        push,
    },
    tools::nix::Nix,
};

/// What is the same for all machines of a run.
pub struct Run {
    /// Nix on this computer.
    pub nix: Nix,
    /// Where everything is told.
    pub report: Report,
    /// How the machines are reached.
    pub way: Way,
    /// How far attempts go.
    pub mode: Mode,
    /// A name that is accepted for a machine which calls itself otherwise.
    pub accepted: AcceptedName,
    /// The agent that was named.
    pub agent: Option<PathBuf>,
    /// What to do when somebody else has the machine.
    pub when_busy: WhenBusy,
}

/// What to do when somebody else has the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenBusy {
    /// Say so and stop.
    Refuse,
    /// Wait until it is free.
    Wait,
}

impl Run {
    /// Deploys the machines one after the other and tells how each ended.
    pub async fn deploy(&self, machines: Vec<Machine>) -> Vec<Ending> {
        let mut passwords = Passwords::default();
        let mut endings = Vec::new();
        for machine in machines {
            let name = machine.name.clone();
            let told = match self.deploy_one(machine, &mut passwords).await {
                Ok(told) => told,
                Err(failure) => Finished::failed(name, failure),
            };
            endings.push(told.ending);
            self.report.tell(Event::Finished(told));
        }
        endings
    }

    async fn deploy_one(&self, machine: Machine, passwords: &mut Passwords) -> Result<Finished> {
        let mut probed = ask::ask(machine, self.way, passwords, &self.report).await?;
        if let Plan::UpToDate { boots_not_known } = self.plan(&mut probed).await? {
            return Ok(Finished::up_to_date(&probed, boots_not_known));
        }
        let agent = push::find_agent(self.agent.as_deref(), probed.machine.system)?;
        let built = build::build(&self.nix, &probed, &self.report).await?;
        let pushed = push::push(&self.nix, &probed, &built, &agent, &self.report).await?;
        let attempt = new_attempt()?;
        let mut staged =
            activate::stage(&probed, &pushed, attempt.clone(), self.mode, &self.report).await?;
        activate::start(&mut staged).await.map_err(|error| {
            Failure::unchanged(format!("the agent on {} was lost", probed.machine.name))
                .because(error)
        })?;
        let started = Started { probed: &probed, attempt, agent: pushed.agent.to_string() };
        let conclusion = started.conclude(&mut staged.watch, &self.report).await;
        Ok(finished(&probed.machine.name, &started.attempt, &staged.record, conclusion))
    }

    async fn plan(&self, probed: &mut Probed) -> Result<Plan> {
        loop {
            let plan = plan::decide(&probed.machine, &probed.facts, self.mode, &self.accepted)?;
            let Plan::Busy(record) = plan else { return Ok(plan) };
            let said = plan::busy(&probed.machine.name, &record, probed.facts.now);
            if self.when_busy == WhenBusy::Refuse {
                return Err(said);
            }
            let text = format!("{}; waiting", said.what);
            self.report.tell(Event::Note { machine: probed.machine.name.clone(), text });
            ask::again(probed).await?;
        }
    }
}

/// A new id. The operator chooses it, so that an answer that gets lost can be
/// asked for again.
fn new_attempt() -> Result<AttemptId> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::unchanged("there are no random numbers").because(error))?;
    Ok(AttemptId::from_random(bytes))
}
