//! Brings what was built to the machine and switches to it.

use std::sync::Mutex;

use deploy_wire::{
    attempt::AttemptId,
    message::{Refusal, RefusalKind},
};

use super::{BeforeSwitch, Goal, Ready, Run, WhenBusy};
use crate::{
    error::{Failure, Result},
    question,
    report::{Changes, Event, Finished},
    stages::{
        activate::{self, AttemptTarget, Meanwhile, NotStaged, dry},
        ask::{self, Probed},
        conclude::finished,
        confirm::{Started, interrupted},
        plan::{Plan, changes, no_way_back},
        push,
        store::mark::Mark,
    },
    tools::{awake::Awake, limit::within, terminal::Interrupts},
};

/// How often to push a closure again that garbage collection removed.
const AGAIN: u32 = 2;

/// The machine after the push, before the agent takes it.
pub(super) enum Brought<'place> {
    /// Nothing is left to do.
    Done(Box<Finished>),
    /// The closure and the agent are on the machine.
    Ready(Meanwhile<'place>),
}

impl Brought<'_> {
    fn done(finished: Finished) -> Self {
        Self::Done(Box::new(finished))
    }
}

/// The result of an attempt.
enum Attempted {
    /// The attempt took the machine, and ended like this.
    Ended(Box<Finished>),
    /// The machine refused the attempt.
    Refused(Refusal),
}

impl Run<'_> {
    /// Pushes what was built and switches to it. Nothing is changed until the agent takes the
    /// machine.
    pub(super) async fn carry_out(
        &self,
        mut probed: Probed,
        ready: &Ready,
        interrupts: &mut Interrupts,
    ) -> Result<Finished> {
        let Some(brought) = interrupts.unless_interrupted(self.bring(&probed, ready)).await else {
            return Err(interrupted::before_the_switch(&probed.machine.name));
        };
        let meanwhile = match brought? {
            Brought::Done(told) => return Ok(*told),
            Brought::Ready(meanwhile) => meanwhile,
        };
        let mut again = AGAIN;
        let mut attempted = self.attempt(&probed, ready, meanwhile, interrupts).await?;
        loop {
            let refusal = match attempted {
                Attempted::Ended(told) => return Ok(*told),
                Attempted::Refused(refusal) => refusal,
            };
            let mark = match refusal.kind {
                // A garbage collection ran before the agent rooted the closure.
                RefusalKind::NotValid if again > 0 => {
                    again -= 1;
                    let Ready { built, agent } = ready;
                    push::push(&self.nix, &probed, built, agent, self.report).await?
                }
                // Somebody else took the machine since the login.
                RefusalKind::Busy if self.when_busy == WhenBusy::Wait => {
                    ask::again(&mut probed).await?;
                    if self.plan(&mut probed).await? == Plan::UpToDate {
                        return Ok(Finished::up_to_date(&probed));
                    }
                    Mark::none()
                }
                _ => return Err(activate::refused(&probed.machine.name, &refusal)),
            };
            let meanwhile = Meanwhile { mark, agent: None };
            attempted = self.attempt(&probed, ready, meanwhile, interrupts).await?;
        }
    }

    pub(super) async fn bring<'p>(&self, probed: &'p Probed, ready: &Ready) -> Result<Brought<'p>> {
        let Ready { built, agent } = ready;
        let name = &probed.machine.name;
        // The comparison does not depend on the push, so it runs beside it. The agent starts after
        // it, because a login allows few sessions; `deploy` uses four at most.
        let look = async {
            let needed = self.needed(probed);
            let mut changes = match needed.toplevel {
                Some(_) => changes::changes(probed, built).await?,
                None => Changes::default(),
            };
            changes.profiles = needed.other_profiles().iter().map(ToString::to_string).collect();
            let early = match self.goal {
                Goal::Flake | Goal::Generation(_) | Goal::Installed => {
                    activate::start_agent_early(probed, agent.path()).await
                }
                Goal::Pushed | Goal::DryActivated => None,
            };
            Ok((changes, early))
        };
        let push = push::push(&self.nix, probed, built, agent, self.report);
        let (mark, (changes, early)) = tokio::try_join!(push, look)?;
        self.report.tell(Event::Changes { machine: name.clone(), changes: changes.clone() });
        Ok(match self.goal {
            Goal::Pushed => {
                mark.clear(name, self.report).await?;
                let text = format!("{} is in its store; nothing roots it yet", built.toplevel);
                Brought::done(Finished::looked(probed, vec![text]))
            }
            Goal::DryActivated => {
                mark.clear(name, self.report).await?;
                let lines = dry::activate(probed, &built.toplevel).await?;
                Brought::done(Finished::looked(probed, lines))
            }
            Goal::Flake | Goal::Generation(_) | Goal::Installed => {
                probed.asks_again().into_iter().for_each(|text| self.report.note(name, text));
                self.ask_before_switch(probed, &changes).await?;
                Brought::Ready(Meanwhile { mark, agent: early })
            }
        })
    }

    async fn ask_before_switch(&self, probed: &Probed, changes: &Changes) -> Result<()> {
        let name = &probed.machine.name;
        let (machine, answer) = (&probed.machine, self.no_way_back);
        no_way_back::ask_first(machine, changes, self.mode, answer, self.report).await?;
        if self.before_switch == BeforeSwitch::GoOn {
            return Ok(());
        }
        let question = format!("switch {name}?");
        let asked = self.report.while_asking(question::ask_yes_or_no(&question)).await;
        asked.map_err(|not| Failure::unchanged(format!("{name} was not switched")).because(not))
    }

    async fn attempt(
        &self,
        probed: &Probed,
        ready: &Ready,
        meanwhile: Meanwhile<'_>,
        interrupts: &mut Interrupts,
    ) -> Result<Attempted> {
        let attempt = new_attempt()?;
        let machine = self.needed(probed);
        let stays = || probed.facts.runs.clone().filter(|_| machine.toplevel.is_none());
        let wanted = AttemptTarget {
            toplevel: stays().unwrap_or_else(|| ready.built.toplevel.clone()),
            agent: ready.agent.path().clone(),
            mode: self.mode,
            machine,
        };
        let name = &probed.machine.name;
        let staging = activate::stage(probed, &wanted, &attempt, meanwhile, self.report);
        tokio::pin!(staging);
        let (staged, interrupt) = tokio::select! {
            biased;
            interrupt = interrupts.next() => {
                self.report.note(name, interrupted::first(None));
                let staged = within(activate::LEAVES, &mut staging).await;
                let staged = staged.map_err(|_| interrupted::before_it_was_taken(name))?;
                (staged, Some(interrupt))
            }
            staged = &mut staging => (staged, None),
        };
        let mut staged = match staged {
            Ok(staged) => staged,
            Err(NotStaged::Failed(failure)) => return Err(failure),
            Err(NotStaged::Refused(refusal)) => return Ok(Attempted::Refused(refusal)),
        };
        let _awake = Awake::because(&format!("{name} is being switched"));
        let agent = wanted.agent.to_string();
        let others = self.ahead.pause();
        let started =
            Started { probed, attempt: attempt.clone(), agent, no_login: Mutex::default(), others };
        let conclusion =
            started.conclude(&mut staged.watch, interrupt, interrupts, self.report).await;
        let confirmed = probed.facts.confirmed.as_ref().ok().and_then(Option::as_ref);
        let confirmed = confirmed.map(|confirmed| &confirmed.toplevel);
        let told = finished(&staged.record, confirmed, conclusion);
        let no_login = started.no_login.into_inner();
        Ok(Attempted::Ended(Box::new(told.with_login(no_login.ok().flatten()))))
    }
}

/// A new id. The operator chooses it, so that a lost reply can be requested again.
fn new_attempt() -> Result<AttemptId> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::unchanged("there are no random numbers").because(error))?;
    Ok(AttemptId::from_random(bytes))
}
