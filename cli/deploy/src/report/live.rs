//! The report on a terminal: lines that stay, and a status line below them.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant, SystemTime},
};

use deploy_wire::event::Event as Happened;

use super::{
    Detail, Event, Moment, Renderer, Stage,
    flashed::Flashes,
    line::Colours,
    out::Out,
    pushed::Pushes,
    screen::{Moving, Screen},
    terminal::Terminal,
    words,
};
use crate::tools::nix::log::Progress;

/// Draws lines and a status line that shows the current work.
pub struct Live {
    detail: Detail,
    screen: Arc<Mutex<Screen>>,
    pushes: Pushes,
    flashes: Flashes,
    builds: Builds,
    count_down: Option<Moving>,
}

/// The progress of a build.
#[derive(Default)]
struct Builds {
    derivation: String,
    counts: Option<(u64, u64)>,
}

const TICK: Duration = Duration::from_millis(100);

impl Live {
    /// A live view on a terminal.
    pub fn new(out: Out, terminal: Box<dyn Terminal>, colours: Colours, detail: Detail) -> Self {
        let screen = Arc::new(Mutex::new(Screen::new(out, terminal, colours)));
        let (pushes, flashes, builds) = <(Pushes, Flashes, Builds)>::default();
        Self { detail, screen, pushes, flashes, builds, count_down: None }
    }

    /// Redraws the status line in a thread until the view is dropped.
    pub fn moving(self) -> Self {
        let screen = Arc::downgrade(&self.screen);
        thread::spawn(move || {
            while let Some(screen) = screen.upgrade() {
                locked(&screen).tick(SystemTime::now());
                drop(screen);
                thread::sleep(TICK);
            }
        });
        self
    }

    fn moves(&self, text: impl Into<String>) {
        let moving = Moving { text: text.into(), until: None };
        locked(&self.screen).moves(Some(moving), SystemTime::now());
    }

    fn stops(&mut self) {
        self.count_down = None;
        locked(&self.screen).moves(None, SystemTime::now());
    }

    fn print(&self, event: &Event) {
        locked(&self.screen).lines(words::lines(event, self.detail), SystemTime::now());
    }

    /// Prints the result of a push when something else begins.
    fn end_push(&mut self) {
        if let Some(line) = self.pushes.end(Instant::now()) {
            locked(&self.screen).lines([line], SystemTime::now());
        }
    }

    fn build(&mut self, machine: &str, progress: &Progress) {
        match progress {
            Progress::Building(drv) => self.builds.derivation = words::drv_name(drv),
            Progress::Built { done, expected } => self.builds.counts = Some((*done, *expected)),
            Progress::Log(_) | Progress::Copied { .. } => return,
        }
        let counts = self.builds.counts.map(|(done, all)| format!(" (built {done} of {all})"));
        let counts = counts.unwrap_or_default();
        self.moves(format!("{machine}: building {}{counts}", self.builds.derivation));
    }
}

fn locked(screen: &Mutex<Screen>) -> MutexGuard<'_, Screen> {
    screen.lock().expect("nothing that draws panics")
}

impl Drop for Live {
    fn drop(&mut self) {
        locked(&self.screen).end();
    }
}

impl Renderer for Live {
    fn show(&mut self, event: &Event) {
        if !matches!(event, Event::Push { .. } | Event::Stalled { .. }) {
            self.end_push();
        }
        match event {
            Event::Evaluating { flake, building } => {
                self.print(event);
                let what =
                    building.as_ref().map(|drv| format!(": building {}", words::drv_name(drv)));
                self.moves(format!("evaluating {flake}{}", what.unwrap_or_default()));
            }
            Event::Checking { flake } => self.moves(format!("running the checks of {flake}")),
            // `ssh` and sudo may ask from here on, so the status line must not be drawn.
            Event::Stage { stage: Stage::Ask, .. } => {
                self.stops();
                self.print(event);
            }
            Event::Login { login: Moment::Begins, .. } => {
                locked(&self.screen).moves(None, SystemTime::now());
            }
            Event::Login { login: Moment::Over, .. } => {
                locked(&self.screen).moves(self.count_down.clone(), SystemTime::now());
            }
            Event::Stage { .. } => {
                self.builds = Builds::default();
                let lines = words::lines(event, self.detail);
                self.moves(lines.first().map_or("", |line| line.text().as_str()));
            }
            Event::Build { machine, progress } => {
                if matches!(progress, Progress::Log(_)) {
                    self.print(event);
                }
                self.build(machine, progress);
            }
            Event::Push { machine, progress, carried } => {
                let now = Instant::now();
                if let Some(text) = self.pushes.at(machine, progress, *carried, now) {
                    self.moves(text);
                }
            }
            Event::Flash { device, step, bytes, expected } => {
                let counts = [*bytes, *expected];
                let text = self.flashes.at(device, *step, counts, Instant::now());
                self.moves(text);
            }
            Event::Agent { machine, event: Happened::Phase { phase, seconds_left, why } } => {
                if why.is_some() {
                    self.print(event);
                }
                let now = SystemTime::now();
                let until = seconds_left.map(|left| now + Duration::from_secs(left));
                let text = format!("{machine}: {}", words::phase_word(*phase));
                self.count_down = Some(Moving { text, until });
                locked(&self.screen).moves(self.count_down.clone(), now);
            }
            Event::Evaluated { .. }
            | Event::Machines { .. }
            | Event::Finished(_)
            | Event::Failed(_)
            | Event::NotEvaluated { .. }
            | Event::Secret(_)
            | Event::Key(_)
            | Event::SecretsDone { .. }
            | Event::Image { .. }
            | Event::Disk(_)
            | Event::Vm(_)
            | Event::Flashed { .. }
            | Event::Timings { .. }
            | Event::Ended { .. } => {
                self.stops();
                self.print(event);
            }
            _ => self.print(event),
        }
    }
}

#[cfg(test)]
mod tests {
    use deploy_wire::phase::Phase;

    use super::*;
    use crate::{
        outcome::Ending,
        report::{Finished, Standstill, shown},
    };

    fn name() -> String {
        "frame1".into()
    }

    fn pushed() -> Vec<Event> {
        let copied = |bytes| Progress::Copied { bytes, expected: 4 << 20 };
        let push = |bytes| {
            let progress = copied(bytes);
            Event::Push { machine: name(), progress, carried: None }
        };
        let drv = "/nix/store/11111111111111111111111111111111-caddy-2.8.0.drv".to_owned();
        let build = |progress| Event::Build { machine: name(), progress };
        vec![
            Event::Stage { machine: name(), stage: Stage::Ask },
            Event::Stage { machine: name(), stage: Stage::Build },
            build(Progress::Building(drv)),
            build(Progress::Built { done: 3, expected: 12 }),
            Event::Stage { machine: name(), stage: Stage::Push },
            push(0),
            push(1 << 20),
        ]
    }

    #[test]
    fn a_push_that_stands_still_goes_on() {
        let why = Standstill::NotKnown;
        let stalled = Event::Stalled { machine: name(), seconds: 15, why };
        let mut events = pushed();
        events.insert(events.len() - 1, stalled);
        let [during, _] = shown::live(&events, 120);
        let lines: Vec<&str> = during.lines().collect();
        assert_eq!(lines.len(), 3, "{during}");
        assert!(lines[1].starts_with("frame1: no progress for 15 s, and no lock"), "{during}");
        assert!(lines[2].starts_with("| frame1: pushing 1.0 MiB of 4.0 MiB ("), "{during}");
        events.push(Event::Note { machine: name(), text: "one".into() });
        let plain = shown::plain(&events);
        assert_eq!(plain.matches("pushed 1.0 MiB").count(), 1, "{plain}");
        assert_eq!(plain.matches("pushed").count(), 1, "{plain}");
    }

    fn phase(phase: Phase, left: u64) -> Event {
        let event = Happened::Phase { phase, seconds_left: Some(left), why: None };
        Event::Agent { machine: name(), event }
    }

    #[test]
    fn the_last_line_moves_and_what_is_over_stays() {
        let [building, _] = shown::live(&pushed()[..4], 80);
        assert_eq!(building, "frame1: logging in\n| frame1: building caddy-2.8.0 (built 3 of 12)");
        let [pushing, left] = shown::live(&pushed(), 80);
        assert!(
            pushing.starts_with("frame1: logging in\n| frame1: pushing 1.0 MiB of 4.0 MiB ("),
            "{pushing}"
        );
        // Every way to end the view removes the status line.
        assert_eq!(left, "frame1: logging in");
        let waiting: Vec<Event> = pushed().into_iter().chain([phase(Phase::Waiting, 60)]).collect();
        let [waits, _] = shown::live(&waiting, 80);
        let lines: Vec<&str> = waits.lines().collect();
        assert!(lines[1].starts_with("frame1: pushed 1.0 MiB ("), "{waits}");
        assert_eq!(lines[2], "| frame1: waiting for a new login to confirm (60 s left)");
    }

    #[test]
    fn narrow_terminals_get_one_moving_line_as_well() {
        for columns in [20, 40] {
            let events = [phase(Phase::Activating, 240), phase(Phase::Waiting, 60)];
            let [waits, left] = shown::live(&events, columns);
            assert_eq!(waits.lines().count(), 1, "{waits}");
            assert!(waits.ends_with("(60 s left)"), "{waits}");
            assert_eq!(left, "");
        }
    }

    #[test]
    fn nothing_moves_while_ssh_may_ask() {
        let login = |login| Event::Login { machine: name(), login };
        let mut events = vec![phase(Phase::Waiting, 60), login(Moment::Begins)];
        assert_eq!(shown::live(&events, 80)[0], "");
        events.push(login(Moment::Over));
        assert!(shown::live(&events, 80)[0].contains("(60 s left)"));
    }

    #[test]
    fn lines_wait_while_a_secret_is_typed() {
        let events =
            [phase(Phase::Waiting, 60), Event::Note { machine: name(), text: "one".into() }];
        let [during, after] = shown::live_while_asked(&events, 80);
        assert_eq!(during, "");
        assert_eq!(after, "frame1: one");
    }

    #[test]
    fn several_machines_have_a_summary_in_colour() {
        let ends = vec![
            ("frame1".to_owned(), Ending::Committed),
            ("nas".to_owned(), Ending::RolledBack),
            ("garage".to_owned(), Ending::NotKnown),
        ];
        let failed = crate::error::Failure::unchanged("cannot log in to nas");
        let events = [
            Event::Finished(Finished::failed("nas".into(), failed)),
            Event::Ended { machines: ends, code: 5 },
        ];
        insta::assert_snapshot!(shown::live(&events, 80)[1]);
    }
}
