//! The declared checks: each asked again every second until the commit; the
//! last word counts.

mod http;
mod tcp;
mod tls;

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

use crate::{
    events::Events,
    tools::{command, systemd::Systemd},
};

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

impl Word {
    fn of(seen: Result<String, String>) -> Self {
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
    systemd: Systemd,
}

impl Checks {
    /// Starts a thread for each.
    pub fn start(checks: &[Check], systemd: &Systemd, events: &Events) -> Self {
        let this = Self {
            checks: checks.to_vec(),
            words: Arc::default(),
            events: events.clone(),
            systemd: systemd.clone(),
        };
        for check in &this.checks {
            let (check, asked) = (check.clone(), this.asker());
            thread::spawn(move || {
                loop {
                    asked.ask(&check);
                    thread::sleep(PERIOD);
                }
            });
        }
        this
    }

    fn asker(&self) -> Asker {
        Asker {
            words: Arc::clone(&self.words),
            events: self.events.clone(),
            systemd: self.systemd.clone(),
        }
    }

    /// Asks every check once more, all at the same time, and waits for them.
    pub fn ask_all(&self) {
        let threads: Vec<_> = self
            .checks
            .iter()
            .map(|check| {
                let (check, asked) = (check.clone(), self.asker());
                thread::spawn(move || asked.ask(&check))
            })
            .collect();
        for thread in threads {
            // A look that panicked leaves its last word, which then counts.
            let _ = thread.join();
        }
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
    systemd: Systemd,
}

impl Asker {
    fn ask(&self, check: &Check) {
        let word = Word::of(look(&self.systemd, &check.kind));
        let mut words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
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

fn look(systemd: &Systemd, kind: &CheckKind) -> Result<String, String> {
    match kind {
        CheckKind::Unit { unit } => {
            let state = systemd.show(Some(unit), "ActiveState").map_err(|e| e.to_string())?;
            if state == "active" { Ok("active".into()) } else { Err(format!("{unit} is {state}")) }
        }
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
