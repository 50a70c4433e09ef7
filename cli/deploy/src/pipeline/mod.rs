//! The whole story of a deploy, in order: each stage eats what the one before
//! it made.
//!
//!     flake -> fleet -> ask -> plan -> build -> push -> activate -> confirm -> report

mod carry_out;

use std::path::PathBuf;

use deploy_wire::{attempt::Mode, machine::Machine};

use crate::{
    error::Result,
    outcome::Ending,
    report::{Event, Finished, Report},
    stages::{
        activate::dry,
        ask::{self, Passwords, Probed, Way},
        build::{self, Built, generations},
        confirm::interrupted,
        plan::{self, AcceptedName, Plan, no_way_back::NoWayBack, secrets},
        push::agent_program::{self, Agent},
    },
    tools::{nix::Nix, terminal::Interrupts},
};

/// What is the same for all machines of a run.
pub struct Run<'report> {
    /// Nix on this computer.
    pub nix: Nix,
    /// Where everything is told.
    pub report: &'report Report,
    /// How the machines are reached.
    pub way: Way,
    /// What is wanted of them.
    pub goal: Goal,
    /// How far attempts go.
    pub mode: Mode,
    /// A name that is accepted for a machine which calls itself otherwise.
    pub accepted: AcceptedName,
    /// The agent that was named.
    pub agent: Option<PathBuf>,
    /// What to do when somebody else has the machine.
    pub when_busy: WhenBusy,
    /// Whether to ask before each switch.
    pub before_switch: BeforeSwitch,
    /// What to do about services that cannot go back.
    pub no_way_back: NoWayBack,
}

/// What is wanted of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// It runs what the flake says.
    Flake,
    /// It goes back to this generation, or to the one before the present one.
    Generation(Option<u64>),
    /// It has the closure; nothing is switched.
    Pushed,
    /// It says what a switch would do to its units.
    DryActivated,
}

/// What to do when somebody else has the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenBusy {
    /// Say so and stop.
    Refuse,
    /// Wait until it is free.
    Wait,
}

impl WhenBusy {
    /// Whether it waits.
    pub fn of(waits: bool) -> Self {
        if waits { Self::Wait } else { Self::Refuse }
    }
}

/// Whether to ask before each switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeforeSwitch {
    /// Go on.
    GoOn,
    /// Ask on the terminal.
    Ask,
}

impl BeforeSwitch {
    /// Whether it asks.
    pub fn of(asks: bool) -> Self {
        if asks { Self::Ask } else { Self::GoOn }
    }
}

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    /// Each machine, and how it ended.
    pub machines: Vec<(String, Ending)>,
    /// Whether the operator stopped it before it was through.
    pub stopped: Stopped,
}

/// Whether the operator stopped a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It went to its end.
    No,
    /// Ctrl-C came: no machine was begun with after that.
    ByOperator,
}

impl Run<'_> {
    /// Deploys the machines one after the other and tells how each ended.
    pub async fn deploy(&self, machines: Vec<Machine>, interrupts: &mut Interrupts) -> Ended {
        let mut passwords = Passwords::default();
        let mut ended = Vec::new();
        let mut machines = machines.into_iter();
        while let Some(machine) = machines.next() {
            let name = machine.name.clone();
            // Up to the stage that takes the machine nothing is changed: to stop
            // is to stop.
            let prepared =
                interrupts.unless_interrupted(self.prepare(machine, &mut passwords)).await;
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

    async fn prepare(&self, machine: Machine, passwords: &mut Passwords) -> Result<Prepared> {
        let mut probed = ask::ask(machine, self.way, passwords, self.report).await?;
        if self.plan(&mut probed).await? == Plan::UpToDate {
            return Ok(Prepared::done(Finished::up_to_date(&probed)));
        }
        if self.switches() {
            probed.can_confirm()?;
        }
        // The machine would refuse too, after all was built and pushed.
        if self.goal == Goal::Flake && probed.machine.toplevel.is_some() {
            secrets::refuse_unmade(&probed.machine)?;
        }
        let agent =
            agent_program::find(&self.nix, self.agent.as_deref(), &probed, self.report).await?;
        if self.goal == Goal::DryActivated {
            dry::is_allowed(&probed)?;
        }
        let built = self.build(&mut probed).await?;
        // A deploy-rs profile hides its system until it is built: on a computer that has
        // not built it, only now can it be seen that the machine has it.
        probed.facts.wanted = probed.machine.toplevel.as_ref().map(|_| built.toplevel.clone());
        if self.plan(&mut probed).await? == Plan::UpToDate {
            return Ok(Prepared::done(Finished::up_to_date(&probed)));
        }
        Ok(Prepared::Ready(Box::new(probed), Box::new(Ready { built, agent })))
    }

    fn switches(&self) -> bool {
        matches!(self.goal, Goal::Flake | Goal::Generation(_))
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

    /// The machine with what is to be deployed of it, as far as that is known now.
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
            Goal::Flake | Goal::Pushed | Goal::DryActivated => {
                // Today's checks may be of services that the system which stays has not.
                if probed.machine.toplevel.is_none() && !probed.machine.checks.is_empty() {
                    generations::let_manifest_decide(probed, &runs, self.report).await?;
                }
                build::build(&self.nix, probed, &runs, self.report).await
            }
        }
    }
}

/// What is to come to the machine.
struct Ready {
    built: Built,
    agent: Agent,
}

/// A machine, before anything is brought to it.
enum Prepared {
    /// There is nothing more to do.
    Done(Box<Finished>),
    /// The closure and the agent are built.
    Ready(Box<Probed>, Box<Ready>),
}

impl Prepared {
    fn done(finished: Finished) -> Self {
        Self::Done(Box::new(finished))
    }
}
