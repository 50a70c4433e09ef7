//! When each part of a run began and how long it took, from the events alone.

use std::time::{Duration, Instant};

use deploy_wire::{event::Event as Happened, phase::Phase};
use serde::Serialize;

use super::{Event, Moment, Stage};

/// A part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// The evaluation of the flake.
    Evaluation,
    /// The flake's own checks.
    FlakeChecks,
    /// A question to the operator, beside the part that asks it.
    Question,
    /// The first login, and asking the machine about itself.
    Login,
    /// The build.
    Build,
    /// The push; comparing the two systems goes on beside it.
    Push,
    /// Starting the agent and taking the machine, with the sync of the store.
    Stage,
    /// Starting the watchers.
    Arm,
    /// The switch.
    Switch,
    /// The checks.
    Checks,
    /// Waiting for the new login.
    Confirmation,
    /// Making the new system what the machine boots.
    Commit,
    /// The rollback.
    Rollback,
    /// The reboot into the system before.
    Reboot,
    /// A new login, beside the parts before it.
    NewLogin,
}

/// When a part began, and how long it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The part.
    pub part: Part,
    /// The time from the start of the run to the start of the part.
    pub from: Duration,
    /// How long it took.
    pub took: Duration,
}

/// The timings of one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineTimings {
    /// The parts, in the order in which they began.
    pub spans: Vec<Span>,
    /// The time from the start of the run to the end of this machine.
    pub until: Duration,
}

/// Collects the timings of a run. A part ends when the next one begins. A new login and a question
/// have an end of their own, and are beside the other parts.
#[derive(Debug)]
pub struct Timings {
    began: Instant,
    spans: Vec<Span>,
    /// The part that goes on.
    open: Option<(Part, Instant)>,
    login: Option<Instant>,
    question: Option<Instant>,
}

impl Timings {
    /// Begins now.
    pub fn begin(now: Instant) -> Self {
        Self { began: now, spans: Vec::new(), open: None, login: None, question: None }
    }

    /// Takes an event. At the end of a machine it gives the machine's timings; those of the first
    /// machine include the evaluation.
    pub fn at(&mut self, event: &Event, now: Instant) -> Option<MachineTimings> {
        match event {
            Event::Evaluating { building: None, .. } => self.begins(Part::Evaluation, now),
            Event::Checking { .. } => self.begins(Part::FlakeChecks, now),
            Event::Evaluated { .. } => self.ends(now),
            Event::Stage { stage, .. } => self.begins(of_stage(*stage), now),
            Event::Login { login: Moment::Begins, .. } => self.login = Some(now),
            Event::Question(Moment::Begins) => self.question = Some(now),
            Event::Login { login: Moment::Over, .. } => {
                let from = self.login.take();
                from.into_iter().for_each(|from| self.add(Part::NewLogin, from, now));
            }
            Event::Question(Moment::Over) => {
                let from = self.question.take();
                from.into_iter().for_each(|from| self.add(Part::Question, from, now));
            }
            Event::Agent { event: Happened::Phase { phase, .. }, .. } => match of_phase(*phase) {
                Some(part) => self.begins(part, now),
                None => self.ends(now),
            },
            Event::Finished(_) => {
                self.ends(now);
                (self.login, self.question) = (None, None);
                let mut spans = std::mem::take(&mut self.spans);
                spans.sort_by_key(|span| span.from);
                return Some(MachineTimings { spans, until: now - self.began });
            }
            _ => {}
        }
        None
    }

    fn begins(&mut self, part: Part, now: Instant) {
        self.ends(now);
        self.open = Some((part, now));
    }

    fn ends(&mut self, now: Instant) {
        if let Some((part, from)) = self.open.take() {
            self.add(part, from, now);
        }
    }

    fn add(&mut self, part: Part, from: Instant, now: Instant) {
        self.spans.push(Span { part, from: from - self.began, took: now - from });
    }
}

fn of_stage(stage: Stage) -> Part {
    match stage {
        Stage::Ask => Part::Login,
        Stage::Build => Part::Build,
        Stage::Push => Part::Push,
        Stage::Take => Part::Stage,
    }
}

fn of_phase(phase: Phase) -> Option<Part> {
    match phase {
        Phase::Staged | Phase::Arming => Some(Part::Arm),
        Phase::Activating => Some(Part::Switch),
        Phase::Checking => Some(Part::Checks),
        Phase::Waiting => Some(Part::Confirmation),
        Phase::Committing => Some(Part::Commit),
        Phase::RollingBack => Some(Part::Rollback),
        Phase::Rebooting => Some(Part::Reboot),
        Phase::Ended => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::Failure, report::Finished};

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn phase(phase: Phase) -> Event {
        let event = Happened::Phase { phase, seconds_left: None, why: None };
        Event::Agent { machine: "frame1".into(), event }
    }

    fn stage(stage: Stage) -> Event {
        Event::Stage { machine: "frame1".into(), stage }
    }

    fn login(login: Moment) -> Event {
        Event::Login { machine: "frame1".into(), login }
    }

    fn finished() -> Event {
        Event::Finished(Finished::failed("frame1".into(), Failure::unchanged("no")))
    }

    fn of(events: Vec<(u64, Event)>) -> Vec<MachineTimings> {
        let began = Instant::now();
        let mut timings = Timings::begin(began);
        events.into_iter().filter_map(|(at, event)| timings.at(&event, began + ms(at))).collect()
    }

    #[test]
    fn a_part_ends_where_the_next_begins_and_a_question_is_beside_it() {
        let evaluating = Event::Evaluating { flake: ".".into(), building: None };
        let building = Event::Evaluating { flake: ".".into(), building: Some("drv".into()) };
        let evaluated = Event::Evaluated { machines: vec![], kept: false, milliseconds: 0 };
        let timings = of(vec![
            (10, evaluating),
            (20, building),
            (50, evaluated),
            (60, stage(Stage::Ask)),
            (160, stage(Stage::Push)),
            (200, Event::Question(Moment::Begins)),
            (300, Event::Question(Moment::Over)),
            (310, finished()),
        ]);
        let span = |part, from, took| Span { part, from: ms(from), took: ms(took) };
        let spans = vec![
            span(Part::Evaluation, 10, 40),
            span(Part::Login, 60, 100),
            span(Part::Push, 160, 150),
            span(Part::Question, 200, 100),
        ];
        assert_eq!(timings, [MachineTimings { spans, until: ms(310) }]);
    }

    #[test]
    fn a_new_login_is_beside_the_other_parts_and_machines_are_apart() {
        let timings = of(vec![
            (0, phase(Phase::Checking)),
            (5, login(Moment::Begins)),
            (20, phase(Phase::Waiting)),
            (30, login(Moment::Over)),
            (40, phase(Phase::Ended)),
            (45, finished()),
            (50, stage(Stage::Ask)),
            (60, finished()),
        ]);
        let span = |part, from, took| Span { part, from: ms(from), took: ms(took) };
        let first = vec![
            span(Part::Checks, 0, 20),
            span(Part::NewLogin, 5, 25),
            span(Part::Confirmation, 20, 20),
        ];
        let second = vec![span(Part::Login, 50, 10)];
        assert_eq!(
            timings,
            [
                MachineTimings { spans: first, until: ms(45) },
                MachineTimings { spans: second, until: ms(60) },
            ]
        );
    }
}
