//! The declared checks. Each runs every second until the commit; its last result counts. What a
//! failing check leads to is decided in `attempt`.

mod file;
pub mod history;
mod http;
mod limit;
pub mod secrets;
mod tcp;
mod tls;
mod unit;
mod words;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use deploy_wire::machine::{Check, CheckKind, Level};

use self::{
    limit::Limit,
    words::{CheckAnswers, CheckOutcome},
};
use crate::{
    storage::events::Events,
    tools::{command, pid1, process::LeftBehind},
};

const PERIOD: Duration = Duration::from_secs(1);
/// How long one look may take in total before it counts as failed.
const LOOK: Duration = Duration::from_secs(10);
/// The additional time after which a look counts as hanging. It leaves time to kill a program.
const SLACK: Duration = Duration::from_secs(2);

/// The running checks of an attempt.
pub struct Checks {
    checks: Vec<Check>,
    words: Arc<Mutex<CheckAnswers>>,
    events: Events,
}

impl Checks {
    /// Starts a thread for each group of checks.
    pub fn start(checks: &[Check], events: &Events) -> Self {
        let this = Self { checks: checks.to_vec(), words: Arc::default(), events: events.clone() };
        for (group, asker) in this.groups() {
            thread::spawn(move || {
                loop {
                    asker.ask(&group);
                    thread::sleep(PERIOD);
                }
            });
        }
        this
    }

    /// The groups of checks that run together, with the thread that runs each. All unit checks form
    /// one group, and so do all files, of which a machine with many secrets has hundreds; any other
    /// check is on its own.
    fn groups(&self) -> impl Iterator<Item = (Vec<Check>, Asker)> + '_ {
        let checks = self.checks.iter().cloned();
        let (units, others): (Vec<_>, Vec<_>) =
            checks.partition(|check| unit_of(&check.kind).is_some());
        let (files, others): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|check| matches!(check.kind, CheckKind::File { .. }));
        let groups = others.into_iter().map(|check| vec![check]).chain([units, files]);
        groups.filter(|group| !group.is_empty()).map(|group| (group, self.asker()))
    }

    fn asker(&self) -> Asker {
        Asker { words: Arc::clone(&self.words), events: self.events.clone() }
    }

    /// Runs every check once more, all at the same time, and waits for the results. A check that
    /// takes longer than the limit of a look has failed.
    pub fn ask_all(&self) {
        let (answered, answers) = mpsc::channel();
        let mut longest = Duration::ZERO;
        for (group, asker) in self.groups() {
            longest = longest.max(limit_of(&group));
            let answered = answered.clone();
            thread::spawn(move || {
                asker.ask(&group);
                // The receiver no longer waits for late results.
                let _ = answered.send(());
            });
        }
        drop(answered);
        let end = Instant::now() + longest;
        while answers.recv_timeout(end.saturating_duration_since(Instant::now())).is_ok() {}
    }

    /// Whether the check with this name passes.
    pub fn passes(&self, name: &str) -> bool {
        lock(&self.words).answer_of(name, Instant::now()).is_some_and(|word| word.passes)
    }

    /// The checks of a level that do not pass, with their last detail; `None` for a check without a
    /// result.
    pub fn failing(&self, level: Level) -> Vec<(&Check, Option<String>)> {
        let (words, now) = (lock(&self.words), Instant::now());
        self.checks
            .iter()
            .filter(|check| check.level == level)
            .filter_map(|check| match words.answer_of(&check.name, now) {
                Some(word) if word.passes => None,
                word => Some((check, word.map(|word| word.detail))),
            })
            .collect()
    }
}

/// Looks once at each check, at all of them at the same time.
pub fn once(checks: &[Check]) -> Vec<(String, CheckOutcome)> {
    let (units, others): (Vec<_>, Vec<_>) =
        checks.iter().cloned().partition(|check| unit_of(&check.kind).is_some());
    let groups = others.into_iter().map(|check| vec![check]).chain([units]);
    let threads: Vec<_> = groups
        .filter(|group| !group.is_empty())
        .map(|group| {
            let names: Vec<String> = group.iter().map(|check| check.name.clone()).collect();
            (names, thread::spawn(move || look(&group)))
        })
        .collect();
    let outcomes = threads.into_iter().flat_map(|(names, thread)| {
        let ended = thread.join();
        names.into_iter().enumerate().map(move |(at, name)| {
            let outcome = ended.as_ref().ok().and_then(|all| all.get(at).cloned());
            (name, outcome.unwrap_or_else(|| Err("the look at it broke off".into())))
        })
    });
    outcomes.collect()
}

fn lock(words: &Mutex<CheckAnswers>) -> MutexGuard<'_, CheckAnswers> {
    words.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Asker {
    words: Arc<Mutex<CheckAnswers>>,
    events: Events,
}

impl Asker {
    fn ask(&self, group: &[Check]) {
        let names = group.iter().map(|check| check.name.clone()).collect();
        let ticket = lock(&self.words).begin(names, limit_of(group), Instant::now());
        let seen = look(group);
        let mut words = lock(&self.words);
        for event in words.end(&ticket, seen, Instant::now()) {
            self.events.tell(&event);
        }
    }
}

/// How long a look at a group may take until it counts as hanging.
fn limit_of(group: &[Check]) -> Duration {
    let is_of_units = group.iter().any(|check| unit_of(&check.kind).is_some());
    SLACK + if is_of_units { pid1::LIMIT } else { LOOK }
}

/// Looks at each check of a group.
fn look(group: &[Check]) -> Vec<CheckOutcome> {
    let units: Option<Vec<&str>> = group.iter().map(|check| unit_of(&check.kind)).collect();
    match units {
        Some(units) => unit::look(&units),
        None => {
            let mut owners = file::Owners::default();
            group.iter().map(|check| look_at(&check.kind, &mut owners)).collect()
        }
    }
}

fn unit_of(kind: &CheckKind) -> Option<&str> {
    match kind {
        CheckKind::Unit { unit } => Some(unit),
        _ => None,
    }
}

fn look_at(kind: &CheckKind, owners: &mut file::Owners) -> CheckOutcome {
    let limit = Limit::of(LOOK);
    match kind {
        CheckKind::Unit { unit } => Err(format!("{unit} was not asked together with others")),
        CheckKind::Tcp { address, port } => {
            tcp::connect(address, *port, limit).map(|_| "connected".into())
        }
        CheckKind::Http { .. } => http::look(kind, limit),
        CheckKind::Certificate { .. } => tls::look(kind, limit),
        CheckKind::File { .. } => file::look(kind, owners),
        CheckKind::Command { argv } => match command::run(argv, LOOK, LeftBehind::Killed) {
            Ok(ran) if ran.succeeded() => Ok("status 0".into()),
            Ok(ran) => Err(format!(
                "{}: {}",
                crate::tools::process::told_status(ran.status),
                ran.last_words()
            )),
            Err(error) => Err(error.to_string()),
        },
    }
}
