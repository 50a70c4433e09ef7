//! The deploy as a whole, in order. Each stage takes the value of the one before.
//!
//! flake -> fleet -> ask -> plan -> build -> push -> activate -> confirm -> report

mod ahead;
mod carry_out;

pub use ahead::Ahead;

use std::path::PathBuf;

use deploy_wire::{attempt::Mode, machine::Machine};

use crate::{
    error::Result,
    outcome::Ending,
    report::{Event, Finished, Report},
    stages::{
        activate::dry,
        ask::{self, FirstLogin, Passwords, Probed, Way},
        build::{self, Built, Where, generations, on_host},
        confirm::interrupted,
        plan::{self, AcceptedName, Plan, no_way_back::NoWayBack, secrets},
        push::{
            self,
            agent_program::{self, Agent},
        },
    },
    tools::{nix::Nix, terminal::Interrupts},
};

/// The values that are the same for all machines of a run.
pub struct Run<'report> {
    /// Nix on this computer.
    pub nix: Nix,
    /// The report that receives every event.
    pub report: &'report Report,
    /// How the machines are reached.
    pub way: Way,
    /// What to do with each machine.
    pub goal: Goal,
    /// How far attempts go.
    pub mode: Mode,
    /// The name that the operator accepts for a machine that reports another name.
    pub accepted: AcceptedName,
    /// The agent's program that the command line names.
    pub agent: Option<PathBuf>,
    /// What to do when another attempt has the machine.
    pub when_busy: WhenBusy,
    /// Whether to ask before each switch.
    pub before_switch: BeforeSwitch,
    /// What to do about services that cannot go back.
    pub no_way_back: NoWayBack,
    /// What is done for machines before their turn.
    pub ahead: Ahead,
}

/// What a run does with a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Deploy the system of the flake.
    Flake,
    /// Go back to this generation, or to the one before the current one.
    Generation(Option<u64>),
    /// Push the closure and switch nothing.
    Pushed,
    /// Show what a switch would do to the units.
    DryActivated,
    /// Confirm the system that was just installed, which the machine runs already: its checks, a new
    /// login and the boot default, and its first record.
    Installed,
}

/// What to do when another attempt has the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenBusy {
    /// Refuse the deploy.
    Refuse,
    /// Wait until it is free.
    Wait,
}

impl WhenBusy {
    /// From the flag `--wait`.
    pub fn of(waits: bool) -> Self {
        if waits { Self::Wait } else { Self::Refuse }
    }
}

/// Whether to ask before each switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeforeSwitch {
    /// Switch without a question.
    GoOn,
    /// Ask on the terminal.
    Ask,
}

impl BeforeSwitch {
    /// From the flag `--interactive`.
    pub fn of(asks: bool) -> Self {
        if asks { Self::Ask } else { Self::GoOn }
    }
}

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    /// Each machine, and how it ended.
    pub machines: Vec<(String, Ending)>,
    /// Whether the operator interrupted it.
    pub stopped: Stopped,
}

/// Whether the operator interrupted a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// The run reached its end.
    No,
    /// An interrupt arrived, and no further machine was begun.
    ByOperator,
}

impl Run<'_> {
    /// Deploys the machines one after the other and reports how each ended.
    /// `first` is the login of the first of them.
    pub async fn deploy(
        &self,
        machines: Vec<Machine>,
        mut first: FirstLogin,
        interrupts: &mut Interrupts,
    ) -> Ended {
        let mut passwords = Passwords::default();
        let mut ended = Vec::new();
        for machine in machines.iter().skip(1) {
            self.ahead.begin(&self.nix, machine);
        }
        let mut machines = machines.into_iter();
        while let Some(machine) = machines.next() {
            let name = machine.name.clone();
            // Nothing is changed before the agent takes the machine, so `deploy` can stop at once.
            let mut login = std::mem::replace(&mut first, FirstLogin::only_ordinary());
            let preparing = async {
                self.ahead.turn_of(&name, self.report).await?;
                self.prepare(machine, &mut passwords, &mut login).await
            };
            let prepared = interrupts.unless_interrupted(preparing).await;
            let told = match prepared {
                None => {
                    let failure = interrupted::before_the_switch(&name);
                    Finished::failed(name, failure)
                }
                Some(Ok(Prepared::Done(told))) => *told,
                Some(Ok(Prepared::Ready(probed, ready))) => self
                    .carry_out(*probed, &ready, interrupts)
                    .await
                    .unwrap_or_else(|failure| Finished::failed(name, failure)),
                Some(Err(failure)) => Finished::failed(name, failure),
            };
            self.end(told, &mut ended);
            if interrupts.have_come() {
                for Machine { name, .. } in machines {
                    let failure = interrupted::before_its_turn(&name);
                    self.end(Finished::failed(name, failure), &mut ended);
                }
                return Ended { machines: ended, stopped: Stopped::ByOperator };
            }
        }
        Ended { machines: ended, stopped: Stopped::No }
    }

    fn end(&self, told: Finished, ended: &mut Vec<(String, Ending)>) {
        ended.push((told.machine.clone(), told.ending));
        self.report.tell(Event::Finished(told));
    }

    async fn prepare(
        &self,
        machine: Machine,
        passwords: &mut Passwords,
        login: &mut FirstLogin,
    ) -> Result<Prepared> {
        let mut probed = ask::ask_first(machine, self.way, passwords, login, self.report).await?;
        if self.plan(&mut probed).await? == Plan::UpToDate {
            return Ok(Prepared::done(Finished::up_to_date(&probed)));
        }
        if self.switches() {
            probed.can_confirm()?;
        }
        // The machine would refuse as well, but only after everything was built and pushed.
        if self.goal == Goal::Flake && probed.machine.toplevel.is_some() {
            secrets::refuse_unmade(&probed.machine)?;
        }
        if self.goal == Goal::DryActivated {
            dry::is_allowed(&probed)?;
        }
        let (named, installed) = (self.agent.as_deref(), probed.installed().cloned());
        let machine = probed.machine.clone();
        let agent =
            agent_program::find(&self.nix, named, installed.as_ref(), &machine, self.report);
        let (agent, built) = tokio::try_join!(agent, self.build(&mut probed))?;
        let built = self.bring_from_builder(&probed, built, &agent).await?;
        // A deploy-rs profile hides its system until it is built. Only now is it known whether the
        // machine already has that system.
        probed.facts.wanted = probed.machine.toplevel.as_ref().map(|_| built.toplevel.clone());
        if self.plan(&mut probed).await? == Plan::UpToDate {
            return Ok(Prepared::done(Finished::up_to_date(&probed)));
        }
        Ok(Prepared::Ready(Box::new(probed), Box::new(Ready { built, agent })))
    }

    fn switches(&self) -> bool {
        matches!(self.goal, Goal::Flake | Goal::Generation(_) | Goal::Installed)
    }

    async fn plan(&self, probed: &mut Probed) -> Result<Plan> {
        loop {
            let plan = plan::decide(&probed.machine, &probed.facts, self.mode, &self.accepted)?;
            let Plan::Busy(record) = plan else {
                let only_flake = self.goal == Goal::Flake || self.goal == Goal::Pushed;
                return Ok(if only_flake { plan } else { Plan::Deploy });
            };
            if self.when_busy == WhenBusy::Refuse {
                return Err(plan::busy(&probed.machine.name, &record, probed.facts.now));
            }
            let text = format!("waiting for the end of {}", plan::whose(&record));
            self.report.tell(Event::Note { machine: probed.machine.name.clone(), text });
            ask::again(probed).await?;
        }
    }

    /// The machine's description, reduced to the parts that need a deploy as far as is known now.
    fn needed(&self, probed: &Probed) -> Machine {
        match (self.goal, self.mode) {
            (Goal::Flake, Mode::Switch) => plan::needed(&probed.machine, &probed.facts),
            _ => probed.machine.clone(),
        }
    }

    async fn build(&self, probed: &mut Probed) -> Result<Built> {
        let runs = probed.facts.runs.clone();
        let runs = runs.expect("the plan refused a machine without a system");
        match self.goal {
            Goal::Generation(to) => {
                let built = generations::earlier(probed, to).await?;
                generations::let_manifest_decide(probed, &built.toplevel, self.report).await?;
                Ok(built)
            }
            Goal::Flake | Goal::Pushed | Goal::DryActivated | Goal::Installed => {
                // The flake's checks may be about services that the running system lacks.
                if probed.machine.toplevel.is_none() && !probed.machine.checks.is_empty() {
                    generations::let_manifest_decide(probed, &runs, self.report).await?;
                }
                build::build(&self.nix, probed, &runs, self.report).await
            }
        }
    }
}

impl Run<'_> {
    /// What a builder built goes to the machine at once, and is looked at there. Where that cannot
    /// be, it comes here first.
    async fn bring_from_builder(
        &self,
        probed: &Probed,
        built: Built,
        agent: &Agent,
    ) -> Result<Built> {
        if !matches!(built.place, Where::OnBuilder(_)) {
            return Ok(built);
        }
        match push::from_builder(&self.nix, probed, &built, agent, self.report).await? {
            Some(()) => on_host::arrived(probed, built).await,
            None => on_host::fetch(&self.nix, probed, built, self.report).await,
        }
    }
}

/// The closure and the agent to push.
struct Ready {
    built: Built,
    agent: Agent,
}

/// A machine before anything is pushed to it.
enum Prepared {
    /// Nothing is left to do.
    Done(Box<Finished>),
    /// The closure and the agent are built.
    Ready(Box<Probed>, Box<Ready>),
}

impl Prepared {
    fn done(finished: Finished) -> Self {
        Self::Done(Box::new(finished))
    }
}
