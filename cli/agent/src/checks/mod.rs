//! The declared checks: each asked again every second until the commit; the
//! last word counts.

mod http;
mod tcp;
mod tls;
mod unit;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use deploy_wire::{
    event::Event,
    machine::{Check, CheckKind, Level},
};

use crate::{events::Events, tools::command};

const PERIOD: Duration = Duration::from_secs(1);
/// How long one look may take, before it counts as failed.
const LOOK: Duration = Duration::from_secs(10);

/// What a check said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Whether it passes.
    pub passes: bool,
    /// What was seen.
    pub detail: String,
}

/// What a look saw, or why the check does not pass.
type Seen = Result<String, String>;

impl Word {
    fn of(seen: Seen) -> Self {
        match seen {
            Ok(detail) => Self { passes: true, detail },
            Err(detail) => Self { passes: false, detail },
        }
    }
}

type Words = BTreeMap<String, Word>;

/// The checks of an attempt, under way.
pub struct Checks {
    checks: Vec<Check>,
    words: Arc<Mutex<Words>>,
    events: Events,
}

impl Checks {
    /// Starts a thread for each.
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

    /// The checks that are asked together, with who asks them: all units at once, everything
    /// else alone.
    fn groups(&self) -> impl Iterator<Item = (Vec<Check>, Asker)> + '_ {
        let checks = self.checks.iter().cloned();
        let (units, others): (Vec<_>, Vec<_>) =
            checks.partition(|check| unit_of(&check.kind).is_some());
        let groups = others.into_iter().map(|check| vec![check]).chain([units]);
        groups.filter(|group| !group.is_empty()).map(|group| (group, self.asker()))
    }

    fn asker(&self) -> Asker {
        Asker { words: Arc::clone(&self.words), events: self.events.clone() }
    }

    /// Asks every check once more, all at the same time, and waits for them.
    pub fn ask_all(&self) {
        let asked = self.groups().map(|(group, asker)| thread::spawn(move || asker.ask(&group)));
        let threads: Vec<_> = asked.collect();
        for thread in threads {
            // A look that panicked leaves its last word, which then counts.
            let _ = thread.join();
        }
    }

    /// Whether the check of this name passed when it was last asked.
    pub fn passes(&self, name: &str) -> bool {
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        words.get(name).is_some_and(|word| word.passes)
    }

    /// The checks of a level that do not pass, with what they said; `None` for
    /// one that has not said anything yet.
    pub fn failing(&self, level: Level) -> Vec<(&Check, Option<String>)> {
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        self.checks
            .iter()
            .filter(|check| check.level == level)
            .filter_map(|check| match words.get(&check.name) {
                Some(word) if word.passes => None,
                word => Some((check, word.map(|word| word.detail.clone()))),
            })
            .collect()
    }
}

struct Asker {
    words: Arc<Mutex<Words>>,
    events: Events,
}

impl Asker {
    fn ask(&self, group: &[Check]) {
        let seen = look(group);
        let mut words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        for (check, seen) in group.iter().zip(seen) {
            let word = Word::of(seen);
            let last = words.insert(check.name.clone(), word.clone());
            if last.is_none_or(|last| last.passes != word.passes) {
                self.events.tell(&Event::Check {
                    name: check.name.clone(),
                    passes: word.passes,
                    detail: word.detail,
                });
            }
        }
    }
}

/// What is seen of each check of a group.
fn look(group: &[Check]) -> Vec<Seen> {
    let units: Option<Vec<&str>> = group.iter().map(|check| unit_of(&check.kind)).collect();
    match units {
        Some(units) => unit::look(&units),
        None => group.iter().map(|check| look_at(&check.kind)).collect(),
    }
}

fn unit_of(kind: &CheckKind) -> Option<&str> {
    match kind {
        CheckKind::Unit { unit } => Some(unit),
        _ => None,
    }
}

fn look_at(kind: &CheckKind) -> Seen {
    match kind {
        CheckKind::Unit { unit } => Err(format!("{unit} was not asked together with others")),
        CheckKind::Tcp { address, port } => {
            tcp::connect(address, *port, LOOK).map(|_| "connected".into())
        }
        CheckKind::Http { .. } => http::look(kind, LOOK),
        CheckKind::Certificate { .. } => tls::look(kind, LOOK),
        CheckKind::Command { argv } => match command::run(argv, LOOK) {
            Ok(ran) if ran.succeeded() => Ok("status 0".into()),
            Ok(ran) => {
                Err(format!("{}: {}", crate::switch::told_status(ran.status), ran.last_words()))
            }
            Err(error) => Err(error.to_string()),
        },
    }
}
