//! The last result of each check, and which checks are late. Pure.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use deploy_wire::event::Event;

/// What a look saw, or why the check fails.
pub type CheckOutcome = Result<String, String>;

/// The last result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckAnswer {
    pub passes: bool,
    /// What the look saw.
    pub detail: String,
}

/// A look in progress.
#[derive(Debug)]
struct Asking {
    names: Vec<String>,
    since: Instant,
    limit: Duration,
}

impl Asking {
    fn is_late(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) > self.limit
    }

    fn late(&self) -> CheckAnswer {
        let detail = format!("it did not answer within {} s", self.limit.as_secs());
        CheckAnswer { passes: false, detail }
    }
}

/// The number of a look, which [`CheckAnswers::end`] takes.
#[derive(Debug)]
pub struct Ticket(u64);

/// The results of all checks.
#[derive(Debug, Default)]
pub struct CheckAnswers {
    said: BTreeMap<String, (Instant, CheckAnswer)>,
    asking: BTreeMap<u64, Asking>,
    tickets: u64,
}

impl CheckAnswers {
    /// Begins a look at these checks, which may take `limit`.
    pub fn begin(&mut self, names: Vec<String>, limit: Duration, now: Instant) -> Ticket {
        self.tickets += 1;
        self.asking.insert(self.tickets, Asking { names, since: now, limit });
        Ticket(self.tickets)
    }

    /// Ends a look with its results and returns the events for the operator. A look that took too
    /// long counts as failed. A look that began before one that has already ended is ignored.
    pub fn end(&mut self, ticket: &Ticket, seen: Vec<CheckOutcome>, now: Instant) -> Vec<Event> {
        let Some(asking) = self.asking.remove(&ticket.0) else { return Vec::new() };
        let mut told = Vec::new();
        for (name, seen) in asking.names.iter().zip(seen) {
            let word = match seen {
                _ if asking.is_late(now) => asking.late(),
                Ok(detail) => CheckAnswer { passes: true, detail },
                Err(detail) => CheckAnswer { passes: false, detail },
            };
            let last = self.said.get(name);
            if last.is_some_and(|(since, _)| *since > asking.since) {
                continue;
            }
            if last.is_none_or(|(_, last)| last.passes != word.passes) {
                let (name, passes, detail) = (name.clone(), word.passes, word.detail.clone());
                told.push(Event::Check { name, passes, detail });
            }
            self.said.insert(name.clone(), (asking.since, word));
        }
        told
    }

    /// The present result of a check. A late check fails, whatever its last result was.
    pub fn answer_of(&self, name: &str, now: Instant) -> Option<CheckAnswer> {
        let late = self
            .asking
            .values()
            .find(|asking| asking.is_late(now) && asking.names.iter().any(|asked| asked == name));
        let said = || self.said.get(name).map(|(_, word)| word.clone());
        late.map(Asking::late).or_else(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn names() -> Vec<String> {
        vec!["web".into()]
    }

    fn passes(words: &CheckAnswers, now: Instant) -> Option<bool> {
        words.answer_of("web", now).map(|word| word.passes)
    }

    #[test]
    fn a_check_that_hangs_fails_though_it_passed_before() {
        let (mut words, start) = (CheckAnswers::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let first = words.begin(names(), LIMIT, at(0));
        assert_eq!(passes(&words, at(5)), None);
        assert_eq!(words.end(&first, vec![Ok("200".into())], at(5)).len(), 1);
        let hangs = words.begin(names(), LIMIT, at(6));
        assert_eq!(passes(&words, at(16)), Some(true), "it still has time");
        let late = words.answer_of("web", at(17)).unwrap();
        assert_eq!((late.passes, late.detail.as_str()), (false, "it did not answer within 10 s"));
        // Its result arrives too late.
        assert_eq!(words.end(&hangs, vec![Ok("200".into())], at(40)).len(), 1);
        assert_eq!(passes(&words, at(40)), Some(false));
    }

    #[test]
    fn the_look_that_began_last_counts() {
        let (mut words, start) = (CheckAnswers::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let slow = words.begin(names(), LIMIT, at(0));
        let quick = words.begin(names(), LIMIT, at(1));
        words.end(&quick, vec![Err("500".into())], at(2));
        assert!(words.end(&slow, vec![Ok("200".into())], at(9)).is_empty());
        assert_eq!(passes(&words, at(9)), Some(false));
    }
}
