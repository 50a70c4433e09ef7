//! What is done for machines before their turn: they are asked, built for and pushed to, while others
//! are still evaluated, or are switched. In its turn a machine then goes through all stages as any
//! other, and finds its system built and pushed.
//!
//! Nothing is switched, and nobody is asked anything:
//! `machines-are-pushed-to-before-their-turn-and-not-switched` proves it.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    path::PathBuf,
    rc::Rc,
    sync::Arc,
};

use deploy_wire::{
    attempt::Mode,
    machine::{BuildPlace, Machine},
};
use tokio::{
    sync::Semaphore,
    task::{JoinHandle, spawn_local},
};

use super::{BeforeSwitch, Goal, Prepared, Run, WhenBusy};
use crate::{
    error::{Failure, Result},
    report::{Event, Report, Stage, Turn},
    stages::{
        ask::{FirstLogin, Passwords, Way},
        plan::{AcceptedName, no_way_back::NoWayBack, secrets},
    },
    tools::{nix::Nix, pause::Pause},
};

/// How many machines are built for and pushed to at once, besides the one whose turn it is. More
/// would take its line, and the computer's memory.
const AT_ONCE: usize = 2;

/// The machines that something is done for before their turn. Dropping the `LocalSet` that it was
/// used in ends all of it.
pub struct Ahead {
    /// What it is done with; `None` where nothing is.
    with: Option<With>,
    lanes: Arc<Semaphore>,
    pause: Rc<Pause>,
    begun: RefCell<BTreeMap<String, BegunAhead>>,
}

#[derive(Clone)]
struct With {
    mode: Mode,
    accepted: AcceptedName,
    agent: Option<PathBuf>,
}

/// What was begun for a machine.
struct BegunAhead {
    turn: Rc<Turn>,
    works: Rc<Cell<bool>>,
    task: JoinHandle<Result<()>>,
}

impl Ahead {
    /// Nothing is done before a machine's turn.
    pub fn nothing() -> Self {
        let lanes = Arc::new(Semaphore::new(AT_ONCE));
        Self { with: None, lanes, pause: Rc::default(), begun: RefCell::default() }
    }

    /// Systems are built and pushed, with the agent's program that the command line names.
    pub fn pushing(mode: Mode, accepted: AcceptedName, agent: Option<PathBuf>) -> Self {
        Self { with: Some(With { mode, accepted, agent }), ..Self::nothing() }
    }

    /// Stops all of it for a while.
    pub fn pause(&self) -> &Pause {
        &self.pause
    }

    /// Begins with a machine. Left out is one whose builder's `ssh` may ask something.
    ///
    /// # Panics
    /// Outside of a `LocalSet`.
    pub fn begin(&self, nix: &Nix, machine: &Machine) {
        let Some(With { mode, accepted, agent }) = self.with.clone() else { return };
        let mut begun = self.begun.borrow_mut();
        let may_ask = matches!(machine.build.place, BuildPlace::Host(_));
        if may_ask || machine.image.is_some() || begun.contains_key(&machine.name) {
            return;
        }
        let (turn, works): (Rc<Turn>, Rc<Cell<bool>>) = Default::default();
        let report = turn.report();
        let (name, nix, machine) = (machine.name.clone(), nix.clone(), machine.clone());
        let (lanes, is_working) = (Arc::clone(&self.lanes), Rc::clone(&works));
        let pause = Rc::clone(&self.pause);
        let task = spawn_local(async move {
            let _lane = lanes.acquire().await.expect("nothing closes it");
            is_working.set(true);
            let run = Run {
                nix,
                report: &report,
                way: Way::Ssh,
                goal: Goal::Pushed,
                mode,
                accepted,
                agent,
                when_busy: WhenBusy::Refuse,
                before_switch: BeforeSwitch::GoOn,
                no_way_back: NoWayBack::GoOn,
                ahead: Self::nothing(),
            };
            pause.unless_held(run.push_unattended(machine)).await
        });
        begun.insert(name, BegunAhead { turn, works, task });
    }

    /// The turn of a machine has come: what was begun for it is waited for, and its events are shown
    /// from now on. A failure to build is the machine's, because another build would fail as well.
    /// Its turn tries everything else again.
    pub async fn turn_of(&self, name: &str, report: &Report) -> Result<()> {
        let Some(BegunAhead { turn, works, mut task }) = self.begun.borrow_mut().remove(name)
        else {
            return Ok(());
        };
        if !works.get() {
            task.abort();
            return Ok(());
        }
        let mut events = (!task.is_finished()).then(|| turn.begin());
        let done = loop {
            let event = async { events.as_mut()?.recv().await };
            tokio::select! {
                biased;
                Some(event) = event => {
                    // Its turn compares the systems.
                    if !matches!(event, Event::Changes { .. }) {
                        report.tell(event);
                    }
                }
                done = &mut task => break done,
            }
        };
        match done {
            Ok(Ok(())) => Ok(()),
            Ok(Err(failure)) if turn.stage() == Some(Stage::Build) => Err(failure),
            Ok(Err(_)) => Ok(()),
            Err(error) => {
                Err(Failure::unchanged(format!("{name} is not deployed to")).because(error))
            }
        }
    }
}

impl Run<'_> {
    /// Builds and pushes, over a login that asks nobody anything.
    async fn push_unattended(&self, machine: Machine) -> Result<()> {
        secrets::refuse_unmade(&machine)?;
        let mut login = FirstLogin::unattended(&machine.ssh).await;
        match self.prepare(machine, &mut Passwords::default(), &mut login).await? {
            Prepared::Done(_) => Ok(()),
            Prepared::Ready(probed, ready) => self.bring(&probed, &ready).await.map(drop),
        }
    }
}
